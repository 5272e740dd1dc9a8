using System.Collections.Concurrent;
using System.Threading.Channels;
using ChordChat.Wire;
using Google.Protobuf;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>The node's end of one session: frames to the client, in order.</summary>
internal sealed class FakeSession(string user, FakeNode node)
{
    private readonly Channel<NodeFrame> _frames = Channel.CreateUnbounded<NodeFrame>();

    public string User => user;

    public FakeNode Node => node;

    /// <summary>By what its client was let in.</summary>
    public required NewerSession Hello { get; init; }

    public DateTimeOffset Since { get; } = DateTimeOffset.UtcNow;

    public ChannelReader<NodeFrame> Frames => _frames.Reader;

    /// <summary>What was pushed and need not be pushed again.</summary>
    public ConcurrentDictionary<ByteString, bool> Pushed { get; } = [];

    public void Write(NodeFrame frame) => _frames.Writer.TryWrite(frame);

    public void Push(Push push)
    {
        var frame = new NodeFrame();
        frame.Pushes.Add(push);
        Pushed[push.Id] = true;
        Write(frame);
    }

    public void End(SessionEnded.Types.Reason reason, byte[]? entry = null, string text = "") => End(new SessionEnded
    {
        Reason = reason,
        Entry = ByteString.CopyFrom(entry ?? []),
        Text = text,
    });

    public void EndAsSameDevice(NewerSession? newer) => End(new SessionEnded
    {
        Reason = SessionEnded.Types.Reason.SameDevice,
        Newer = newer,
    });

    private void End(SessionEnded end)
    {
        Write(new NodeFrame { Ended = end });
        _frames.Writer.TryComplete();
    }
}
