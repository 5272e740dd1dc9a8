using ChordChat.Core.Ring;
using ChordChat.Wire;

namespace ChordChat.Node.Links;

/// <summary>Answers a call of another node exactly once, on any thread, perhaps before this returns.</summary>
internal delegate void CallAnswerer(NodeId from, Call call, Action<Answer> reply);
