using ChordChat.Core.Ring;
using ChordChat.Node.Links;
using ChordChat.Node.Tiles;
using ChordChat.Wire;

namespace ChordChat.Node.Chat;

/// <summary>Shows another node, when it asks for that, that a user was let in here; once however many calls wait for
/// it.</summary>
/// <remarks>docs/protocol.md#session-proofs. The lock is a leaf.</remarks>
internal sealed class SessionShowing(PeerLinks links, KeptHellos hellos)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly Lock _turn = new();
    private readonly Dictionary<(NodeId To, string User), List<Action<SessionRight>>> _waiting = [];

    /// <summary>Calls <paramref name="done"/>, on any thread, with what the node believes: if that is enough, the call
    /// that it refused is made once more.</summary>
    public void Show(NodeId to, string user, Action<SessionRight> done)
    {
        if (hellos.Find(user) is not { } kept)
        {
            done(SessionRight.None);
            return;
        }

        lock (_turn)
        {
            if (_waiting.TryGetValue((to, user), out var others))
            {
                others.Add(done);
                return;
            }

            _waiting[(to, user)] = [done];
        }

        _ = ShowAsync(to, user, kept);
    }

    public Task<SessionRight> ShowAsync(NodeId to, string user)
    {
        var shown = new TaskCompletionSource<SessionRight>(TaskCreationOptions.RunContinuationsAsynchronously);
        Show(to, user, shown.SetResult);
        return shown.Task;
    }

    private async Task ShowAsync(NodeId to, string user, KeptHello kept)
    {
        var right = SessionRight.None;
        try
        {
            var answer = await links.CallAsync(
                to, new Call { ShowSession = kept.ToWire() }, Patience, CancellationToken.None);
            right = answer?.Shown?.ToCore() ?? SessionRight.None;
        }
        finally
        {
            List<Action<SessionRight>> waiting;
            lock (_turn)
                _waiting.Remove((to, user), out waiting!);
            foreach (var done in waiting)
                done(right);
        }
    }
}
