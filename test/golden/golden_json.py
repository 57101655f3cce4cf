"""How golden JSON files are written: each member of the file on a line of its own, and each element of a list of cases."""
import json


def dumps(golden, **options):
    """Options as for json.dumps."""
    line = lambda value: json.dumps(value, separators=(",", ":"), **options)

    def member(value):
        is_cases = isinstance(value, list) and any(isinstance(each, (dict, list)) for each in value)
        return "[\n" + ",\n".join(map(line, value)) + "\n]" if is_cases else line(value)

    return "{\n" + ",\n".join(f"{line(name)}:{member(value)}" for name, value in golden.items()) + "\n}\n"
