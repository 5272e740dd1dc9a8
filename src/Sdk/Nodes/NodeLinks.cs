using System.Net.Sockets;
using System.Runtime.CompilerServices;
using ChordChat.Sdk.Sessions;
using Grpc.Core;

namespace ChordChat.Sdk.Nodes;

/// <summary>The one link in use, shared by the session and by single calls; replaced when its node fails.</summary>
internal sealed class NodeLinks(NodePool pool, UserPass pass) : IDisposable
{
    private const int AttemptsMax = 6;
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SecondTry = TimeSpan.FromMilliseconds(300);

    private readonly SemaphoreSlim _turn = new(1);
    private NodeLink? _current;
    private string? _failed;

    public NodePool Pool => pool;

    /// <summary>What calls about people need.</summary>
    public UserPass Pass => pass;

    public async Task<NodeLink> CurrentAsync(CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            return _current ??= await OpenAsync(cancellation);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Tries twice: a machine under load may be too slow once.</summary>
    private async Task<NodeLink> OpenAsync(CancellationToken cancellation)
    {
        try
        {
            return await pool.OpenAsync(_failed, cancellation);
        }
        catch (ChordChatException cause) when (cause.Code == "unreachable")
        {
            await Task.Delay(SecondTry, cancellation);
            return await pool.OpenAsync(_failed, cancellation);
        }
    }

    /// <summary>Takes a link out of use; the next one will be to another node if there is one.</summary>
    public void Fail(NodeLink link)
    {
        if (Interlocked.CompareExchange(ref _current, null, link) != link)
            return;
        _failed = link.Address;
        link.Dispose();
    }

    /// <summary>Takes the link of a node that says goodbye out of use; calls that are on their way are answered
    /// first.</summary>
    public void Retire(NodeLink link)
    {
        if (Interlocked.CompareExchange(ref _current, null, link) != link)
            return;
        _failed = link.Address;
        _ = Task.Delay(CallTimeout).ContinueWith(_ => link.Dispose(), TaskScheduler.Default);
    }

    /// <summary>Puts this link into use in place of the one before, whose node is tried last from now on.</summary>
    public void Use(NodeLink link)
    {
        if (Interlocked.Exchange(ref _current, link) is not { } before)
            return;
        _failed = before.Address;
        before.Dispose();
    }

    /// <summary>Makes one call, at another node if the first cannot answer now.</summary>
    /// <param name="call">The call; it must be harmless to repeat.</param>
    /// <exception cref="RpcException">The answer of the last node that was asked.</exception>
    public Task<T> CallAsync<T>(
        Func<Wire.Chat.ChatClient, CallOptions, AsyncUnaryCall<T>> call, CancellationToken cancellation) =>
        TryAsync(async link => await call(link.Chat, Options(cancellation)), cancellation);

    /// <summary>As the other, for calls about people, which need a pass; the call sees at which node it is
    /// made.</summary>
    /// <exception cref="RpcException">Also UNAUTHENTICATED for who can get no pass.</exception>
    public Task<T> AskAsync<T>(
        Func<NodeLink, CallOptions, AsyncUnaryCall<T>> call, CancellationToken cancellation) =>
        TryAsync(link => pass.AskAsync(link, call, cancellation), cancellation);

    private async Task<T> TryAsync<T>(Func<NodeLink, Task<T>> call, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            var link = await CurrentAsync(cancellation);
            NodeLink? other = null;
            try
            {
                if (attempt > 2)
                    link = other = await pool.OpenAsync(link.Address, cancellation);
                return await call(link);
            }
            catch (RpcException cause) when (attempt < AttemptsMax && IsPassing(cause))
            {
                cancellation.ThrowIfCancellationRequested();
                // A node that answers "unavailable" lacks a quorum and lives; its session must not be torn down.
                // Another node may have one.
                if (cause.Status.DebugException is not null)
                    Fail(link);
                await Task.Delay(TimeSpan.FromMilliseconds(100 * attempt), cancellation);
            }
            catch (ObjectDisposedException cause)
            {
                // Another caller has just taken this link out of use.
                if (attempt == AttemptsMax)
                    throw new RpcException(new Status(StatusCode.Unavailable, "the link was dropped", cause));
            }
            finally
            {
                other?.Dispose();
            }
        }
    }

    /// <summary>The deadline of one call.</summary>
    public static CallOptions Options(CancellationToken cancellation) =>
        new(deadline: DateTime.UtcNow + CallTimeout, cancellationToken: cancellation);

    /// <summary>Opens a node that was not asked yet, for one question; the caller disposes of it.</summary>
    /// <param name="asked">Node ids in hex.</param>
    /// <param name="isEverywhere">Also where no node was ever heard of; that takes longer.</param>
    /// <returns>Null when no other node answers.</returns>
    public Task<NodeLink?> OpenOtherAsync(
        IReadOnlySet<string> asked, CancellationToken cancellation, bool isEverywhere = false) =>
        pool.OpenOtherAsync(asked, cancellation, isEverywhere);

    /// <summary>Opens nodes that were not asked yet, wherever they are, one after the other. Each is disposed of before
    /// the next is looked for.</summary>
    /// <param name="asked">Node ids in hex; it gets those of the nodes that are opened.</param>
    public async IAsyncEnumerable<NodeLink> OthersAsync(
        HashSet<string> asked, int max, [EnumeratorCancellation] CancellationToken cancellation)
    {
        for (var count = 0; count < max; count++)
        {
            using var other = await OpenOtherAsync(asked, cancellation, isEverywhere: true);
            if (other is null)
                yield break;
            asked.Add(other.Key);
            yield return other;
        }
    }

    public void Dispose()
    {
        _current?.Dispose();
        _turn.Dispose();
        pass.Dispose();
    }

    /// <summary>Not an answer of the node: it could not, or the connection broke under the call.</summary>
    private static bool IsPassing(RpcException cause) =>
        cause.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Cancelled
        || cause.Status.DebugException is IOException or HttpRequestException or SocketException;
}
