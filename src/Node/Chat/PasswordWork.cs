using System.Globalization;
using System.Security.Cryptography;
using BCrypt.Net;
using ChordChat.Core.Chat;

namespace ChordChat.Node.Chat;

/// <summary>bcrypt, on as many cores as there are and with a bounded queue before them.</summary>
internal sealed class PasswordWork : IDisposable
{
    /// <summary>Each step doubles the work: 14 is a second and a half of one core.</summary>
    private const int CostMax = 14;

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
        var verdict = await RunAsync<object>(() => Matches(secret, compared), cancellation);
        return verdict is null ? null : (bool)verdict && credential is not null;
    }

    public void Dispose() => _cores.Dispose();

    /// <summary>Version b, as docs/security.md says; older accounts have a, which differs in nothing for our
    /// secrets.</summary>
    private string Hash(string secret) =>
        BCrypt.Net.BCrypt.HashPassword(secret, BCrypt.Net.BCrypt.GenerateSalt(_cost, 'b'));

    /// <summary>False as well for what is no derived secret or no credential of a cost we pay: a stranger sends the
    /// one, and a damaged or lying replica the other.</summary>
    private static bool Matches(string secret, string credential)
    {
        if (secret.Length != ChatLimits.SecretLength || secret.Any(c => !char.IsAscii(c) || char.IsControl(c)))
            return false;
        try
        {
            return CostOf(credential) <= CostMax && BCrypt.Net.BCrypt.Verify(secret, credential);
        }
        catch (Exception e) when (e is SaltParseException or HashInformationException or ArgumentException)
        {
            return false;
        }
    }

    private static int CostOf(string credential) =>
        int.Parse(BCrypt.Net.BCrypt.InterrogateHash(credential).WorkFactor, CultureInfo.InvariantCulture);

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
