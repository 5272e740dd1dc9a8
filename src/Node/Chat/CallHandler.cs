using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node.Base;
using ChordChat.Node.Links;
using ChordChat.Node.Tiles;
using ChordChat.Wire;

namespace ChordChat.Node.Chat;

/// <summary>Hands each call of a peer to the part of this node that answers it, if the peer may ask that.</summary>
internal sealed class CallHandler(
    ReplicaWriter writer,
    CallerRights rights,
    ShownSessions shown,
    NewsWitnesses witnesses,
    ConfigurationNews news,
    PeerRefusals refusals,
    PeerChatAnswers chat)
{
    /// <summary>Answers exactly once, on any thread, perhaps before this returns.</summary>
    public void Handle(NodeId from, Call call, Action<Answer> reply)
    {
        try
        {
            if (call.ToReplicaRequest() is { } request)
                Handle(from, request, reply);
            else if (call.BodyCase == Call.BodyOneofCase.ShowSession)
                _ = ShowAsync(from, call.ShowSession.ToCore(), reply);
            else
                reply(chat.Answer(from, call) ?? Failure("unknown call"));
        }
        catch (MalformedException e)
        {
            reply(Failure(e.Message));
        }
    }

    private void Handle(NodeId from, ReplicaRequest request, Action<Answer> reply)
    {
        if (!rights.IsMember(from, request.At) && !shown.Allow(from, request))
        {
            AskForProof(from, request, reply);
            return;
        }

        switch (rights.Judge(from, request))
        {
            case CallVerdict.Allowed(var allowed):
                Submit(from, allowed, reply);
                break;
            case CallVerdict.Answered(var answer):
                reply(answer.ToWire());
                break;
            case CallVerdict.Claimed(var claim, var known):
                _ = CheckAsync(from, claim, known, reply);
                break;
            case CallVerdict.Refused(var why):
                reply(Failure(why));
                break;
        }
    }

    /// <summary>A replica that is not at the request's epoch says so first: it is no use to prove anything to it.
    /// </summary>
    private void AskForProof(NodeId from, ReplicaRequest request, Action<Answer> reply)
    {
        var question = SessionNeed.QuestionOf(request);
        if (!writer.Submit(question, from, done => reply(done is ReplicaReply.Peeked or ReplicaReply.Ages
            ? new Answer { Unproven = ReplicaMap.Nothing }
            : done.ToWire())))
            reply(Failure("overloaded or stopping"));
    }

    private async Task ShowAsync(NodeId from, KeptHello hello, Action<Answer> reply)
    {
        var right = SessionRight.None;
        try
        {
            right = await shown.ShowAsync(from, hello);
        }
        finally
        {
            reply(new Answer { Shown = new() { Right = right.ToWire() } });
        }
    }

    private async Task CheckAsync(
        NodeId from, ReplicaRequest.NewConfiguration claim, TileConfiguration known, Action<Answer> reply)
    {
        // At once: it tells that this node is there, and how far it is.
        Submit(from, new ReplicaRequest.GetConfiguration(claim.Next.Tile), reply);
        if (await witnesses.ConfirmAsync(from, claim, known) is { } confirmed)
            Submit(from, confirmed, static _ => { });
    }

    private void Submit(NodeId from, ReplicaRequest request, Action<Answer> reply)
    {
        if (request is ReplicaRequest.NewConfiguration(var next, _))
            news.Hear(next);
        if (!writer.Submit(request, from, done =>
        {
            if (done is ReplicaReply.TooMany)
                refusals.Note(from);
            reply(done.ToWire());
        }))
            reply(Failure("overloaded or stopping"));
    }

    private static Answer Failure(string text) => new() { Failed = new Failed { Text = text } };
}
