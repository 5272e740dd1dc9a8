namespace ChordChat.Tests.Checkers;

/// <summary>A history was too tangled to judge: neither right nor wrong.</summary>
public sealed class UndecidedException(string why) : Exception(why);
