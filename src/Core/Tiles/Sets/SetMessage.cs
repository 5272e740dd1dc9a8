namespace ChordChat.Core.Tiles.Sets;

/// <summary>A message as a set keeps it: unchanging content under an id that is used once.</summary>
public readonly record struct SetMessage(MessageId Id, ReadOnlyMemory<byte> Content);
