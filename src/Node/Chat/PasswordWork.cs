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

    /// <summary>A place in the queue, to be disposed of; null when too many wait already.</summary>
    public Place? TryEnter()
    {
        if (Interlocked.Increment(ref _waitingCount) <= _waitingMax)
            return new Place(this);
        Interlocked.Decrement(ref _waitingCount);
        return null;
    }

    /// <summary>A credential for the account record; null when too many wait already.</summary>
    public async Task<string?> HashAsync(string secret, CancellationToken cancellation)
    {
        using var place = TryEnter();
        return place is null ? null : await RunAsync(() => Hash(secret), cancellation);
    }

    /// <summary>Whether the secret is the credential's.</summary>
    /// <param name="credential">Null for a user who does not exist: takes as long all the same.</param>
    /// <param name="place">Of the caller, who holds it until this returns.</param>
    public async Task<bool> VerifyAsync(
        string secret, string? credential, Place place, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(place);
        var compared = credential ?? await _nobodys;
        return await RunAsync(() => Matches(secret, compared), cancellation) && credential is not null;
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

    private async Task<T> RunAsync<T>(Func<T> work, CancellationToken cancellation)
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

    public sealed class Place : IDisposable
    {
        private PasswordWork? _work;

        internal Place(PasswordWork work) => _work = work;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _work, null) is { } work)
                Interlocked.Decrement(ref work._waitingCount);
        }
    }
}
