using ChordChat.Core.Replication;
using ChordChat.Core.Ring;
using ChordChat.Node.Replication;
using ChordChat.Wire;

namespace ChordChat.Node.Transport;

/// <summary>Hands each call of a peer to the part of this node that answers it.</summary>
internal sealed class CallHandler(ReplicaWriter writer, ConfigurationNews news, PeerChatAnswers chat)
{
    /// <summary>Answers exactly once, on any thread, perhaps before this returns.</summary>
    public void Handle(NodeId from, Call call, Action<Answer> reply)
    {
        try
        {
            if (call.ToReplicaRequest() is { } request)
            {
                if (request is ReplicaRequest.NewConfiguration(var next, _))
                {
                    if (!news.Knows(next))
                        throw new MalformedException("tile: the circle is not cut like that here");
                    news.Hear(next);
                }

                if (!writer.Submit(request, from, done => reply(done.ToWire())))
                    reply(Failure("overloaded or stopping"));
            }
            else
                reply(chat.Answer(call) ?? Failure("unknown call"));
        }
        catch (MalformedException e)
        {
            reply(Failure(e.Message));
        }
    }

    private static Answer Failure(string text) => new() { Failed = new Failed { Text = text } };
}
