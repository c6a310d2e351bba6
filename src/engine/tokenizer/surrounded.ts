/** A token by its id and text. */
export interface Special {
  readonly id: number;
  readonly text: string;
}

/** A `post_processor` of tokenizer.json that puts tokens before and behind every text; null for none. */
export function surrounded(first: Special | null, last: Special | null): object | null {
  if (!first && !last) return null;
  const special = ({ text: id }: Special, type: number) => ({ SpecialToken: { id, type_id: type } });
  const around = (name: string, type: number): object[] => [
    ...(first ? [special(first, type)] : []),
    { Sequence: { id: name, type_id: type } },
    ...(last ? [special(last, type)] : []),
  ];
  const tokens = [first, last].flatMap((token) => (token ? [token] : []));
  return {
    type: "TemplateProcessing",
    single: around("A", 0),
    pair: [...around("A", 0), ...around("B", 1)],
    special_tokens: Object.fromEntries(
      tokens.map(({ id, text }) => [text, { id: text, ids: [id], tokens: [text] }]),
    ),
  };
}
