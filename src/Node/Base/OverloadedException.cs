namespace ChordChat.Node.Base;

/// <summary>A part of this node that others need has too much to do, or is stopping: to be tried again later.</summary>
internal sealed class OverloadedException(string part) : Exception($"{part} is overloaded or stopping");
