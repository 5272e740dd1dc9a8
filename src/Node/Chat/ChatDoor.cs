using System.Security.Cryptography;
using ChordChat.Node.Base;
using ChordChat.Node.Links;
using ChordChat.Wire;
using Grpc.Core;

namespace ChordChat.Node.Chat;

/// <summary>The Connect stream from the challenge to its end.</summary>
internal sealed class ChatDoor(
    ChatIdentity identity,
    ChatOptions options,
    HelloDoor hellos,
    ChatPeers peers,
    SessionTable sessions,
    SessionOpening opening,
    SessionClosing closing,
    EnvelopeSender sender,
    SendPace pace,
    Passes passes,
    CircleChanges circles,
    UnreadAnswers unread,
    ChatClock clock)
{
    private const int NonceBytes = 32;

    private static readonly TimeSpan HangUpPatience = TimeSpan.FromSeconds(1);

    public async Task ServeAsync(
        IAsyncStreamReader<ClientFrame> requests, IServerStreamWriter<NodeFrame> responses, ServerCallContext context)
    {
        if (sessions.IsClosed)
        {
            await SayAsync(new() { Ended = ChatMaps.ToWire(SessionEnd.OfStoppingNode) }, responses, context);
            await LetHangUpAsync(context.CancellationToken);
            return;
        }

        switch (await ProveAsync(requests, responses, context))
        {
            case OpenOutcome.Unavailable(var reached, var needed):
                throw ChatFaults.NoMajority(reached, needed);
            case OpenOutcome.Refused(var end):
                await RefuseAsync(end, requests, responses, context);
                return;
            case OpenOutcome.Proved(var user):
                var welcome = new Welcome { Pass = ChatMaps.ToWire(passes.Issue(user)) };
                await SayAsync(new() { Welcome = welcome }, responses, context);
                return;
            case OpenOutcome.Opened(var session):
                if (sessions.IsClosed)
                    session.End(SessionEnd.OfStoppingNode);
                await ServeAsync(session, requests, responses, context);
                return;
        }
    }

    /// <summary>Says something that a caller may never take: docs/security.md, "What a call may cost".</summary>
    private Task SayAsync(NodeFrame frame, IServerStreamWriter<NodeFrame> responses, ServerCallContext context) =>
        unread.TakenAsync(
            context.GetHttpContext(), responses.WriteAsync(frame, context.CancellationToken), frame.CalculateSize());

    /// <summary>Says why there is no session. A client that has read it hangs up; what fits into the pipe of a response
    /// would be there for minutes if nobody took it, and this may have all entries of a key log.</summary>
    private async Task RefuseAsync(
        SessionEnd end, IAsyncStreamReader<ClientFrame> requests, IServerStreamWriter<NodeFrame> responses,
        ServerCallContext context)
    {
        var frame = new NodeFrame { Ended = ChatMaps.ToWire(end) };
        await unread.TakenAsync(context.GetHttpContext(), TakenAsync(), frame.CalculateSize());

        async Task TakenAsync()
        {
            try
            {
                await responses.WriteAsync(frame, context.CancellationToken);
                while (await requests.MoveNext(context.CancellationToken))
                {
                    // Whatever else it says is of no session.
                }
            }
            catch (Exception) when (context.CancellationToken.IsCancellationRequested)
            {
                // It is gone.
            }
        }
    }

    /// <summary>From the challenge to the verdict; strangers can come as far as this, so there is room for so many.
    /// </summary>
    private async Task<OpenOutcome> ProveAsync(
        IAsyncStreamReader<ClientFrame> requests, IServerStreamWriter<NodeFrame> responses, ServerCallContext context)
    {
        var address = context.GetHttpContext().Connection.RemoteIpAddress;
        using var place = hellos.TryEnter(address) ?? throw ChatFaults.TooManyHellos();
        var nonce = RandomNumberGenerator.GetBytes(NonceBytes);
        if (await HearHelloAsync(nonce, requests, responses, context, place.Lost) is not { } hello)
            throw place.Lost.IsCancellationRequested
                ? ChatFaults.TooManyHellos()
                : CallFaults.Invalid("the first frame has to be a hello, within a few seconds");
        using var turn = await InTurnAsync(
            place, token => hellos.TurnAsync(address, token), context.CancellationToken);
        if (hellos.Wait(address, hello.User, hello.Epoch) is { Limit: HelloLimit.OfUser, Wait: var wait })
        {
            turn.Dispose(); // Others need it.
            if (!await InTurnAsync(place, token => hellos.SlowTurnAsync(address, token), context.CancellationToken))
                throw ChatFaults.TooManyBadHellos(wait);
        }

        using var own = await InTurnAsync(
            place, token => hellos.UserTurnAsync(address, hello.User, token), context.CancellationToken);
        if (!place.TryStay())
            throw ChatFaults.TooManyHellos();
        switch (hellos.Wait(address, hello.User, hello.Epoch))
        {
            case { Limit: HelloLimit.OfDevice, Wait: var early }:
                throw ChatFaults.TooManyHellosOfUser(early);
            case { Limit: HelloLimit.OfBlock, Wait: var early }:
                throw ChatFaults.TooManyBadHellos(early);
        }

        var outcome = await opening.OpenAsync(hello, nonce, context.CancellationToken);
        hellos.Judged(address, hello.User, hello.Epoch, outcome);
        return outcome;
    }

    private static async ValueTask<T> InTurnAsync<T>(
        FairPlaces.Place place, Func<CancellationToken, ValueTask<T>> waiting, CancellationToken call)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(call, place.Lost);
        try
        {
            return await waiting(either.Token);
        }
        catch (OperationCanceledException) when (!call.IsCancellationRequested)
        {
            throw ChatFaults.TooManyHellos();
        }
    }

    private async Task ServeAsync(
        LiveSession session,
        IAsyncStreamReader<ClientFrame> requests,
        IServerStreamWriter<NodeFrame> responses,
        ServerCallContext context)
    {
        using var busy = context.GetHttpContext().Features.Get<ConnectionPlace>()?.Busy();
        try
        {
            await SayAsync(new() { Welcome = WelcomeTo(session) }, responses, context);
            var line = new ChatLine(session, requests, responses, sender, pace, closing, circles, clock);
            _ = opening.AnnounceAsync(session);
            await line.RunAsync(context.CancellationToken);
            await LetHangUpAsync(context.CancellationToken);
            if (session.Lifetime.IsCancellationRequested && !session.Over.IsCompleted)
                context.GetHttpContext().Abort(); // It does not even read why the session is over.
        }
        finally
        {
            closing.Disconnected(session);
        }
    }

    /// <summary>A node that stops closes each connection after its last call, and .NET's HTTP/2 then throws away what
    /// its program has not read yet: why the session is over. So the client is let hang up first.</summary>
    private async Task LetHangUpAsync(CancellationToken call)
    {
        if (sessions.IsClosed)
            await Task.Delay(HangUpPatience, clock.Time, call).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <returns>Null when nothing came in time, the place was lost, or something else came.</returns>
    private async Task<SessionHello?> HearHelloAsync(
        byte[] nonce,
        IAsyncStreamReader<ClientFrame> requests,
        IServerStreamWriter<NodeFrame> responses,
        ServerCallContext context,
        CancellationToken lost)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lost);
        patience.CancelAfter(options.HelloTimeout);
        var isChallenged = false;
        try
        {
            await responses.WriteAsync(new NodeFrame { Challenge = ChallengeOf(nonce) }, patience.Token);
            isChallenged = true;
            return await requests.MoveNext(patience.Token) && requests.Current.Hello is { } hello
                ? new SessionHello(
                    hello.User, hello.Epoch, hello.ClientNonce.Memory, hello.Signature.Memory, Shortened(hello.Client),
                    hello.PassOnly)
                : null;
        }
        catch (OperationCanceledException) when (!context.CancellationToken.IsCancellationRequested)
        {
            if (!isChallenged)
                context.GetHttpContext().Abort(); // It does not read: it would not read why, either.
            return null;
        }
    }

    /// <summary>For the log: a client chooses it.</summary>
    private static string Shortened(string client) =>
        new([.. client.Take(64).Select(c => c is >= ' ' and <= '~' ? c : '?')]);

    private Challenge ChallengeOf(byte[] nonce) => new()
    {
        Cluster = ChatMaps.ToWire(identity.Cluster.ToBytes()),
        NodeId = ChatMaps.ToWire(identity.Self.Node.ToBytes()),
        NodeNonce = ChatMaps.ToWire(nonce),
    };

    private Welcome WelcomeTo(LiveSession session)
    {
        var welcome = new Welcome
        {
            Session = session.Number,
            NodeName = identity.Self.Name,
            Copies = (uint)identity.Copies,
            Degraded = session.IsDegraded,
            Pass = ChatMaps.ToWire(passes.Issue(session.User)),
        };
        welcome.Nodes.Add(peers.ToName().Select(ChatMaps.ToWire));
        return welcome;
    }
}
