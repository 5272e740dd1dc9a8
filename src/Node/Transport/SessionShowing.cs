using ChordChat.Core.Ring;
using ChordChat.Node.Chat;
using ChordChat.Wire;

namespace ChordChat.Node.Transport;

/// <summary>Shows another node, when it asks for that, that a user was let in here; once however many calls wait for
/// it.</summary>
/// <remarks>docs/protocol.md#session-proofs. The lock is a leaf.</remarks>
internal sealed class SessionShowing(PeerLinks links, KeptHellos hellos)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly Lock _turn = new();
    private readonly Dictionary<(NodeId To, string User), List<Action<bool>>> _waiting = [];

    /// <summary>Calls <paramref name="done"/>, on any thread, with whether the node believes it: then the call that it
    /// refused is made once more.</summary>
    public void Show(NodeId to, string user, Action<bool> done)
    {
        if (hellos.Find(user) is not { } kept)
        {
            done(false);
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

    public Task<bool> ShowAsync(NodeId to, string user)
    {
        var shown = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        Show(to, user, shown.SetResult);
        return shown.Task;
    }

    private async Task ShowAsync(NodeId to, string user, KeptHello kept)
    {
        var isGood = false;
        try
        {
            var answer = await links.CallAsync(
                to, new Call { ShowSession = kept.ToWire() }, Patience, CancellationToken.None);
            isGood = answer?.Shown?.Good == true;
        }
        finally
        {
            List<Action<bool>> waiting;
            lock (_turn)
                _waiting.Remove((to, user), out waiting!);
            foreach (var done in waiting)
                done(isGood);
        }
    }
}
