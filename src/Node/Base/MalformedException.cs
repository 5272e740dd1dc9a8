namespace ChordChat.Node.Base;

/// <summary>A peer sent what this version cannot have written; the call had no effect.</summary>
internal sealed class MalformedException(string what) : Exception($"malformed {what}");
