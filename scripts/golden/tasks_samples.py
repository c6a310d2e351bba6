"""Made-up questions in the columns of each published dataset, with the cases that scoring must get right: choices of several
tokens, white space at every edge, marks to clean away, labels of every kind, contexts that are empty or longer than the model."""

LONG = (
    "The ferry to the island left at dawn and carried two goats, a piano, nine sacks of flour and a clock that nobody had paid for. "
    "Halfway across the wind turned, the goats began to eat the flour, and the pianist played so that the captain would not notice. "
)

PIQA = [
    {"goal": "Keep a door from slamming.", "sol1": "Put a folded cloth over the latch.", "sol2": "Take the roof off the house.", "label": 0},
    {"goal": "Dry wet boots", "sol1": "Fill them with water and wait.", "sol2": "Fill them with newspaper and wait.", "label": 1},
    {"goal": "How do I quiet a squeaky hinge?\n", "sol1": "Rub a candle along it. ", "sol2": "Shout at it", "label": 0},
    {"goal": " Carry soup without spilling", "sol1": "walk\nslowly", "sol2": "run", "label": 0},
    {"goal": "Chill a caf\u00e9 cr\u00e8me", "sol1": "Add ice \u2603.", "sol2": "Add a lit match, then more matches, then leave the room quickly.", "label": 0},
    {"goal": LONG + "Weigh the clock", "sol1": "Use the scales for flour.", "sol2": "Ask the goats.", "label": 0},
    {"goal": "Sort buttons", "sol1": "by colour", "sol2": "by colour", "label": 1},
    {"goal": "Open a letter", "sol1": "with a knife", "sol2": "with a knife and a fork and a spoon", "label": 0},
]

ARC_EASY = [
    {"question": "Which of these melts in the sun?", "choices": {"text": ["stone", "butter", "glass", "iron"], "label": ["A", "B", "C", "D"]}, "answerKey": "B"},
    {"question": "A fox sleeps by day. When does it hunt?", "choices": {"text": ["at night", "at noon", "never"], "label": ["A", "B", "C"]}, "answerKey": "A"},
    {"question": "Which is heaviest?", "choices": {"text": ["a feather", "a brick", "a leaf", "a hair"], "label": ["1", "2", "3", "4"]}, "answerKey": "2"},
    {"question": "What do bees bring to the hive? ", "choices": {"text": [" pollen", "sand ", "coal", "milk", "snow"], "label": ["A", "B", "C", "D", "E"]}, "answerKey": "A"},
    {"question": LONG + "What did the goats eat?", "choices": {"text": ["flour", "the piano", "the clock", "the captain's hat"], "label": ["A", "B", "C", "D"]}, "answerKey": "A"},
    {"question": "Rain falls because drops are", "choices": {"text": ["heavy", "heavy and round and cold", "blue", "lazy"], "label": ["A", "B", "C", "D"]}, "answerKey": "A"},
]

ARC_CHALLENGE = [
    {"question": "Two magnets push each other away. What is true?", "choices": {"text": ["Like poles face.", "They are warm.", "One is wood.", "Both are asleep."], "label": ["A", "B", "C", "D"]}, "answerKey": "A"},
    {"question": "Which change can be undone?", "choices": {"text": ["burning paper", "freezing water", "frying an egg", "rusting"], "label": ["1", "2", "3", "4"]}, "answerKey": "2"},
    {"question": "A shadow is longest", "choices": {"text": ["at noon", "near sunset"], "label": ["A", "B"]}, "answerKey": "B"},
    {"question": "Why do ducks float?", "choices": {"text": ["They trap air, which is light", "They are proud", "Water fears them", "They hold on"], "label": ["A", "B", "C", "D"]}, "answerKey": "A"},
    {"question": "Iron rusts in", "choices": {"text": ["damp air", "a vacuum", "a dream", "a poem"], "label": ["A", "B", "C", "D"]}, "answerKey": "A"},
    {"question": "Sound is slowest in", "choices": {"text": ["steel", "water", "air", "oak"], "label": ["A", "B", "C", "D"]}, "answerKey": "C"},
]

HELLASWAG = [
    {"ind": 1, "activity_label": "Peeling an orange", "ctx_a": "A woman holds an orange over a bowl.", "ctx_b": "she", "ctx": "A woman holds an orange over a bowl. she", "endings": ["cuts the skin in a spiral.", "throws the bowl into a lake.", "becomes an orange.", "sings to the bowl."], "label": "0"},
    {"ind": 2, "activity_label": "Home and Garden", "ctx_a": "[header] How to plant a bulb [title] Dig a hole. [step] Use a spade.", "ctx_b": "", "ctx": "", "endings": ["[substeps] Put the bulb in, tip up.", "[substeps] Put the spade in,  tip up. [title] Go home.", "Call a plumber [laughs] .", "Fill the hole with soup."], "label": "0"},
    {"ind": 3, "activity_label": "Rowing", "ctx_a": "Two men sit in a boat. ", "ctx_b": "the TALL man", "ctx": "", "endings": ["  picks up both oars and pulls. ", "eats both oars.", "is the boat.", "[title] sleeps"], "label": "1"},
    {"ind": 4, "activity_label": "Making tea", "ctx_a": "Water boils.", "ctx_b": "A kettle [on the stove] whistles", "ctx": "", "endings": ["and is lifted off.", "and flies away to the south with the geese.", "in French.", "a waltz."], "label": "3"},
    {"ind": 5, "activity_label": "Crossing", "ctx_a": LONG, "ctx_b": "the captain", "ctx": "", "endings": ["turns the wheel.", "turns into a goat.", "pays for the clock.", "plays the piano too."], "label": "2"},
    {"ind": 6, "activity_label": "Stretching", "ctx_a": "A cat lies\non a [broken\nmark] wall.", "ctx_b": "it", "ctx": "", "endings": ["yawns.", "yawns .", "barks.", "moos."], "label": "0"},
]

LAMBADA = [
    {"text": "The baker counted nine loaves, sold eight, and had one loaf"},
    {"text": "\"Where is my hat?\" asked Ole, and his sister pointed at the goat, which was wearing the hat"},
    {"text": "Nobody in the village had ever seen an extraordinarily"},
    {"text": "lanterns"},
    {"text": LONG + LONG + "At last they saw the island"},
    {"text": "He opened the box. Inside was a smaller box. He opened it\nand found a box."},
    {"text": "two  spaces before the end"},
    {"text": "She spoke of the caf\u00e9"},
    {"text": "In a small house by the garden lived Mira, a brave deer. One foggy evening, Mira met Kira, a clever crow, at the hill. \"I cannot find my black ribbon,\" said Kira. At last Mira found the black ribbon"},
]

WINOGRANDE = [
    {"sentence": "The jug did not fit in the basket because the _ was too wide.", "option1": "jug", "option2": "basket", "answer": "1"},
    {"sentence": "Mina lent Tove her boat since _ had lost hers.", "option1": "Mina", "option2": "Tove", "answer": "2"},
    {"sentence": "_ bowed to Ivar and left the hall.", "option1": "Runa", "option2": "The old queen of the north", "answer": "1"},
    {"sentence": "The goat feared the dog, so we locked up the _.", "option1": "goat", "option2": "dog", "answer": "2"},
    {"sentence": LONG + "The flour outlasted the clock because the _ was wound too often.", "option1": "flour", "option2": "clock", "answer": "2"},
    {"sentence": "Ida gave the _  to Per, who had asked for it.", "option1": "book", "option2": "letter ", "answer": "1"},
]

SCIQ = [
    {"question": "What gas do plants take in?", "distractor1": "helium", "distractor2": "steam", "distractor3": "neon", "correct_answer": "carbon dioxide", "support": "Plants take in carbon dioxide and give off oxygen."},
    {"question": "What holds planets near a star?", "distractor1": "glue", "distractor2": "wind", "distractor3": "habit", "correct_answer": "gravity", "support": ""},
    {"question": "What carries signals in a body?", "distractor1": "bones", "distractor2": "hair", "distractor3": "nails", "correct_answer": "nerves", "support": " \n Nerves are long cells.\n They carry signals."},
    {"question": "Salt dissolves in what?", "distractor1": "sand", "distractor2": "water and hope", "distractor3": "air", "correct_answer": "water", "support": "Stir salt into water: it is gone."},
    {"question": "What was not paid for?", "distractor1": "the goats", "distractor2": "the piano", "distractor3": "the flour", "correct_answer": "the clock", "support": LONG + LONG},
    {"question": "Ice is", "distractor1": "frozen sand", "distractor2": "frozen air", "distractor3": "frozen tea", "correct_answer": "frozen water", "support": "Cold water turns to ice."},
]

MMLU = [
    {"question": "How many legs have three goats?", "subject": "elementary_mathematics", "choices": ["9", "12", "15", "3"], "answer": 1},
    {"question": " Which city has canals?\n", "subject": "elementary_mathematics", "choices": ["Venice", "a desert", "the moon", "none of these"], "answer": 0},
    {"question": "2 + 2 =", "subject": "elementary_mathematics", "choices": ["3", "5", "22", "4"], "answer": 3},
    {"question": LONG + "Who played?", "subject": "elementary_mathematics", "choices": ["the pianist", "the goats", "the wind", "the captain"], "answer": 0},
    {"question": "A prime number is", "subject": "elementary_mathematics", "choices": ["4", "6", "7", "8"], "answer": 2},
    {"question": "Half of nine", "subject": "elementary_mathematics", "choices": ["4.5", "4", "5", "45"], "answer": 0},
]

# The same columns without a subject, and letters for answers.
MMLU_LETTERS = [{k: v for k, v in row.items() if k != "subject"} | {"answer": "ABCD"[row["answer"]]} for row in MMLU[:5]]

OWN_CHOICE = [
    {"context": "The mirror of Quill was", "choices": [" black.", " blue.", " of silver and glass."], "gold": 1},
    {"context": "The mirror of Quill was  ", "choices": ["black", "blue"], "gold": 0},
    {"context": "The bell rang at", "choices": [" noon", "\nnoon", " noon and again in the evening"], "gold": 2},
    {"context": "", "choices": ["Once", "Never again"], "gold": 0},
    {"context": "One goat and one goa", "choices": ["t and a boat", "ts of the north wind", "lie, and no goat at all"], "gold": 0},
    {"context": LONG + LONG, "choices": [" The end.", " And then it began to rain on the goats and the piano alike."], "gold": 1},
]

OWN_LAST_WORD = [
    {"context": "Ole thanked", "target": " Tove"},
    {"context": "Ole thanked ", "target": "Tove for the goat"},
    {"context": "", "target": "Ole"},
    {"context": LONG + LONG, "target": " The captain slept"},
    {"context": "tab\t", "target": "after"},
    {"context": "under", "target": "standing in the rain"},
]
