using ChordChat.Core.Chat;
using ChordChat.Node.Identity;
using Grpc.Core;

namespace ChordChat.Node.Chat;

/// <summary>Who may ask about people, and how often: docs/protocol.md#passes. Safe for threads.</summary>
internal sealed class Askers(Passes passes, ChatOptions options, ChatClock clock)
{
    public const string Header = "chordchat-pass-bin";

    private readonly Lock _turn = new();
    private readonly AddressThrottle _asked = new(options.QuestionsPerUserMax);

    /// <summary>Returns for holders of a pass, members and operators; operators and pages with a certificate ask as
    /// often as they like.</summary>
    /// <param name="count">How many questions this one counts for.</param>
    /// <returns>Whose pass it is; null for members and operators.</returns>
    /// <exception cref="RpcException">UNAUTHENTICATED for everybody else; RESOURCE_EXHAUSTED for a caller that has
    /// asked too often.</exception>
    public string? Require(ServerCallContext context, int count = 1)
    {
        var caller = CallerIdentity.Of(context.GetHttpContext());
        if (caller.MaySeeNames)
            return null;
        var user = caller.Node is null ? HolderOf(context) ?? throw ChatFaults.NoPass() : null;
        if (Count(user ?? $"node {caller.Node!.Node}", count) is { Ticks: > 0 } wait)
            throw ChatFaults.TooManyQuestions(wait);
        return user;
    }

    private TimeSpan Count(string asker, int count)
    {
        lock (_turn)
        {
            var wait = _asked.Wait(asker, clock.Steady);
            if (wait <= TimeSpan.Zero)
                _asked.Failed(asker, clock.Steady, count);
            return wait;
        }
    }

    private string? HolderOf(ServerCallContext context)
    {
        try
        {
            return passes.HolderOf(context.RequestHeaders.GetValueBytes(Header));
        }
        catch (FormatException)
        {
            return null; // Not base64.
        }
    }
}
