/** English words that carry grammar rather than content: articles, pronouns, prepositions, conjunctions, auxiliaries, particles. */
const STOP_WORDS = new Set(
  `a an the this that these those such some any each every no none all both few more most much many several other another same
  i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his himself she her hers herself it its
  itself they them their theirs themselves one who whom whose which what where when why how there here
  of in on at by for from to with without into onto upon about above below over under between among through during before after
  against within along across behind beyond near off out up down around toward towards until till since per via as than like
  and or but nor so yet if unless although though because while whereas whether either neither not
  am is are was were be been being do does did doing done have has had having will would shall should can could may might must
  ought too very just only even also still again ever never then now once quite rather almost already however therefore thus`.split(
    /\s+/,
  ),
);
/** What is left of a contraction behind its apostrophe. */
const CONTRACTION = /^(n?['’]t|['’](s|re|ve|ll|d|m))$/;
/** Punctuation and symbols alone. */
const PUNCTUATION = /^[\p{P}\p{S}]+$/u;

/**
 * Which tokens are stop words: punctuation alone, what follows a contraction's apostrophe, or a word of the list in any case. Where
 * the vocabulary marks the beginnings of words with a space, a word counts only with it: a piece inside a word is no stop word. A
 * token that begins a longer word and reads as a stop word cannot be told apart and counts.
 * @param tokens the vocabulary as people read it, by id
 */
export function stopWordTokens(tokens: readonly string[]): boolean[] {
  const marked = tokens.some((token) => STOP_WORDS.has(token.trimStart()) && token.startsWith(" "));
  return tokens.map((token) => {
    const word = token.trim().toLowerCase();
    if (PUNCTUATION.test(word) || CONTRACTION.test(word)) return true;
    return STOP_WORDS.has(word) && (!marked || token.startsWith(" "));
  });
}
