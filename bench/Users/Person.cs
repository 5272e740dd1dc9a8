using ChordChat.Crypto;

namespace ChordChat.Bench.Users;

/// <summary>A registered user.</summary>
/// <param name="Entry">Hash of the key-log entry that names the keys.</param>
internal sealed record Person(string Name, SharedKeys Keys, Digest Entry);
