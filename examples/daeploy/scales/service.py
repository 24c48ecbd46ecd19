"""Scales: what one item weighs, in grams."""
from daeploy import service

GRAMS = {"book": 640, "tea": 120, "mug": 410, "anvil": 41000}


@service.entrypoint
def weigh(item: str) -> int:
    return GRAMS.get(item, 250)


if __name__ == "__main__":
    service.run()
