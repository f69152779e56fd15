# Prints `<service>:<Operation> <Member.Path>` for every input member of the operations that are named on the command line, from the
# service models that come with moto's botocore.
import sys

import botocore.session


def walk(shape, path, within, found):
    if shape.type_name == "list":
        walk(shape.member, path, within, found)
    elif shape.type_name == "map":
        walk(shape.value, path, within, found)
    elif shape.type_name == "structure" and shape.name not in within:
        for name, member in shape.members.items():
            before = len(found)
            walk(member, [*path, name], within | {shape.name}, found)
            # A wrapper such as ec2's {Value: true} is the member itself.
            if found[before:] == [".".join([*path, name, "Value"])]:
                del found[before:]
            if len(found) == before:
                found.append(".".join([*path, name]))


session = botocore.session.get_session()
for named in sys.argv[1:]:
    service, operation = named.split(":")
    shape = session.get_service_model(service).operation_model(operation).input_shape
    found = []
    walk(shape, [], frozenset(), found)
    for member in found:
        print(named, member)
