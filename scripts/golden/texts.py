"""Golden texts in rows: the same rows, some empty, as pandas writes them in every form.

usage: python scripts/golden/texts.py        (needs pandas and pyarrow)
writes test/golden/texts/rows.{jsonl,json,csv,parquet}
"""

import pathlib

import pandas

OUT = pathlib.Path(__file__).parents[2] / "test" / "golden" / "texts"
ROWS = ["", " = Crow = \n", "", ' It said " caw , caw " . \n', "one line\nand another"]

if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    frame = pandas.DataFrame({"text": ROWS})
    frame.to_json(OUT / "rows.jsonl", orient="records", lines=True)
    frame.to_json(OUT / "rows.json", orient="records")
    frame.to_csv(OUT / "rows.csv", index=False)
    frame.to_parquet(OUT / "rows.parquet", index=False)
    print("pandas", pandas.__version__, *(f"{path.name} {path.stat().st_size}" for path in sorted(OUT.iterdir())))
