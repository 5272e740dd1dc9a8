using System.Security.Cryptography;

namespace ChordChat.Node.Chat;

/// <summary>bcrypt, on as many cores as there are and with a bounded queue before them.</summary>
internal sealed class PasswordWork : IDisposable
{
    private readonly SemaphoreSlim _cores = new(Environment.ProcessorCount);
    private readonly int _cost;
    private readonly int _waitingMax;
    private readonly Task<string> _nobodys;
    private int _waitingCount;

    public PasswordWork(ChatOptions options)
    {
        (_cost, _waitingMax) = (options.BcryptCost, options.LoginQueueMax + Environment.ProcessorCount);
        _nobodys = Task.Run(() => Hash(Convert.ToBase64String(RandomNumberGenerator.GetBytes(32))));
    }

    /// <summary>A credential for the account record; null when too many wait already.</summary>
    public Task<string?> HashAsync(string secret, CancellationToken cancellation) =>
        RunAsync<string>(() => Hash(secret), cancellation);

    /// <summary>Whether the secret is the credential's; null when too many wait already.</summary>
    /// <param name="credential">Null for a user who does not exist: takes as long all the same.</param>
    public async Task<bool?> VerifyAsync(string secret, string? credential, CancellationToken cancellation)
    {
        var compared = credential ?? await _nobodys;
        var verdict = await RunAsync<object>(() => BCrypt.Net.BCrypt.Verify(secret, compared), cancellation);
        return verdict is null ? null : (bool)verdict && credential is not null;
    }

    public void Dispose() => _cores.Dispose();

    private string Hash(string secret) => BCrypt.Net.BCrypt.HashPassword(secret, _cost);

    private async Task<T?> RunAsync<T>(Func<T> work, CancellationToken cancellation)
        where T : class
    {
        if (Interlocked.Increment(ref _waitingCount) > _waitingMax)
        {
            Interlocked.Decrement(ref _waitingCount);
            return null;
        }

        try
        {
            await _cores.WaitAsync(cancellation);
            try
            {
                return await Task.Run(work, cancellation);
            }
            finally
            {
                _cores.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _waitingCount);
        }
    }
}
