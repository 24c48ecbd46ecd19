"""The desk that takes parcels: it has each item weighed, and tells of parcels that nobody can carry."""
from daeploy import service
from daeploy.communication import Severity, call_service, notify

MOST_GRAMS = 20000


@service.entrypoint
def accept(items: list) -> dict:
    grams = sum(call_service("scales", "weigh", {"item": item}) for item in items)
    if grams > MOST_GRAMS:
        notify(f"a parcel of {grams} g", Severity.WARNING)
    return {"items": len(items), "grams": grams, "accepted": grams <= MOST_GRAMS}


if __name__ == "__main__":
    service.run()
