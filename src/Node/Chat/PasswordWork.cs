using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using BCrypt.Net;
using ChordChat.Core.Chat;
using ChordChat.Node.Base;

namespace ChordChat.Node.Chat;

/// <summary>bcrypt, on as many cores as there are and with a bounded queue before them, in which the address blocks
/// take turns.</summary>
internal sealed class PasswordWork : IDisposable
{
    /// <summary>Each step doubles the work: 14 is a second and a half of one core.</summary>
    private const int CostMax = 14;

    /// <summary>Four for each core: who has one may wait for other nodes instead of a core.</summary>
    public static readonly int TurnsMax = 4 * Environment.ProcessorCount;

    /// <summary>How long a place is safe from others of the same block.</summary>
    private static readonly TimeSpan Tenure = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _cores = new(Environment.ProcessorCount);
    private readonly FairQueue _queue;
    private readonly int _cost;
    private readonly Task<string> _nobodys;

    public PasswordWork(ChatOptions options, TimeProvider time)
    {
        _cost = options.BcryptCost;
        var most = options.LoginQueueMax + TurnsMax;
        _queue = new((TurnsMax, TurnsMax), (most, most), Tenure, time);
        _nobodys = Task.Run(() => Hash(Convert.ToBase64String(RandomNumberGenerator.GetBytes(32))));
    }

    /// <summary>See <see cref="FairQueue.TryTakeAsync"/>.</summary>
    public Task<FairQueue.Turn?> TryTakeAsync(IPAddress? address, CancellationToken cancellation) =>
        _queue.TryTakeAsync(address, cancellation);

    /// <summary>A credential for the account record.</summary>
    /// <param name="turn">Of the caller, who holds it until this returns.</param>
    public Task<string> HashAsync(string secret, FairQueue.Turn turn, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(turn);
        return RunAsync(() => Hash(secret), cancellation);
    }

    /// <summary>Whether the secret is the credential's.</summary>
    /// <param name="credential">Null for a user who does not exist: takes as long all the same.</param>
    /// <param name="turn">Of the caller, who holds it until this returns.</param>
    public async Task<bool> VerifyAsync(
        string secret, string? credential, FairQueue.Turn turn, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(turn);
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
}
