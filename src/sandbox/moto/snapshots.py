"""An account's whole state: kept under a number, put back, forgotten. Kept in this process only. And the access keys it gave out."""

import copyreg
import io
import itertools
import json
import pickle
import tempfile
import threading

from moto.core.base_backend import BackendDict
from moto.core.utils import utcnow
from moto.iam.models import iam_backends
from moto.s3.models import s3_backends
from moto.sts.models import sts_backends

kept = {}
numbers = itertools.count(1)

# Locks and the buffers of S3's objects are made anew.
copyreg.pickle(type(threading.Lock()), lambda lock: (threading.Lock, ()))
copyreg.pickle(type(threading.RLock()), lambda lock: (threading.RLock, ()))


def buffer_of(content):
    buffer = tempfile.SpooledTemporaryFile(max_size=16 * 1024 * 1024)
    buffer.write(content)
    return buffer


def reduce_buffer(buffer):
    buffer.seek(0)
    return buffer_of, (buffer.read(),)


copyreg.pickle(tempfile.SpooledTemporaryFile, reduce_buffer)


class Writer(pickle.Pickler):
    """Refers to the tables that all accounts share by their names instead of taking them along."""

    def persistent_id(self, thing):
        return thing.service_name if isinstance(thing, BackendDict) else None


class Reader(pickle.Unpickler):
    def persistent_load(self, name):
        return next(table for table in BackendDict._instances if table.service_name == name)


def answer(path, account):
    action, _, number = path.partition("/")
    return {"snapshot": snapshot, "restore": restore, "reset": reset, "key": key}[action](account, number)


def tables():
    return [table for table in list(BackendDict._instances) if table.service_name != "moto_api"]


def snapshot(account, _number):
    state = {table.service_name: dict(table[account]) for table in tables() if dict.__contains__(table, account)}
    written = io.BytesIO()
    Writer(written, pickle.HIGHEST_PROTOCOL).dump(state)
    number = str(next(numbers))
    kept[number] = written.getvalue()
    return number


def restore(account, number):
    state = Reader(io.BytesIO(kept[number])).load()
    reset(account, "")
    for table in tables():
        for region, backend in state.get(table.service_name, {}).items():
            dict.__setitem__(table[account], region, backend)
    for partition, backend in state.get("s3", {}).items():
        for name in backend.buckets:
            s3_backends.bucket_accounts[name] = (partition, account)
    return ""


def reset(account, _number):
    for table in tables():
        if dict.__contains__(table, account):
            dict.clear(table[account])
    for name, (_, owner) in list(s3_backends.bucket_accounts.items()):
        if owner == account:
            s3_backends.bucket_accounts.pop(name, None)
    return ""


def key(account, identifier):
    """What a request that an access key signed must agree with, as JSON; null if the account gave out no such key."""
    for sts in partitions(sts_backends, account):
        role = sts.get_assumed_role_from_access_key(identifier)
        if role:
            expired = role.expiration < utcnow()
            return json.dumps({"secret": role.secret_access_key, "token": role.session_token, "expired": expired})
    for iam in partitions(iam_backends, account):
        for user in iam.users.values():
            for one in user.access_keys:
                if one.access_key_id == identifier and one.status == "Active":
                    return json.dumps({"secret": one.secret_access_key, "token": None, "expired": False})
    return "null"


def partitions(table, account):
    return list(table[account].values()) if dict.__contains__(table, account) else []
