"""Asks a node's Chat service what any other program could ask: with gRPC's own Python library and our proto files.

usage: ask_chat.py PROTOS HOST:PORT AUTHORITY.pem METHOD [JSON]

Prints one JSON object: {"answer": ...} with proto names, bytes in base64, or {"code", "details", "trailers"}.
The stubs are generated into a temporary folder, so nothing generated is kept.
"""
import json
import pathlib
import sys
import tempfile

import grpc
from google.protobuf import json_format
from grpc_tools import protoc

PROTO = "chordchat/v1/chat.proto"
DEADLINE_S = 20


def generate(protos, into):
    code = protoc.main(["protoc", f"-I{protos}", f"--python_out={into}", f"--grpc_python_out={into}", PROTO])
    if code != 0:
        sys.exit(f"protoc ended with {code}")
    sys.path.insert(0, into)
    from chordchat.v1 import chat_pb2, chat_pb2_grpc

    return chat_pb2, chat_pb2_grpc


def ask(channel, messages, services, method, fields):
    request = json_format.ParseDict(fields, getattr(messages, f"{method}Request")())
    try:
        answer = getattr(services.ChatStub(channel), method)(request, timeout=DEADLINE_S)
        return {"answer": json_format.MessageToDict(answer, preserving_proto_field_name=True)}
    except grpc.RpcError as refusal:
        trailers = {key: value for key, value in refusal.trailing_metadata() if isinstance(value, str)}
        return {"code": refusal.code().name, "details": refusal.details(), "trailers": trailers}


def main(protos, address, authority, method, fields="{}"):
    credentials = grpc.ssl_channel_credentials(root_certificates=pathlib.Path(authority).read_bytes())
    with tempfile.TemporaryDirectory() as folder, grpc.secure_channel(address, credentials) as channel:
        messages, services = generate(protos, folder)
        print(json.dumps(ask(channel, messages, services, method, json.loads(fields))))


if __name__ == "__main__":
    main(*sys.argv[1:])
