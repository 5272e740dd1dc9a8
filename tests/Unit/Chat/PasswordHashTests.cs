using ChordChat.Node.Chat;
using Xunit;

namespace ChordChat.Tests.Unit.Chat;

/// <summary>What is stored of a password, and that no input of a stranger or a replica breaks the check.</summary>
public class PasswordHashTests
{
    private const string Secret = "0123456789012345678901234567890123456789abc";

    /// <remarks>Of crypt_blowfish 1.3, wrapper.c; its inputs that are no UTF-8 or are cut short are left out.</remarks>
    [Theory]
    [InlineData("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")]
    [InlineData("U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK")]
    [InlineData("U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a")]
    [InlineData("", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy")]
    public void Known_answers_come_out(string secret, string hash) =>
        Assert.Equal(hash, BCrypt.Net.BCrypt.HashPassword(secret, hash));

    [LibcryptFact]
    public void Stored_hashes_are_those_of_libcrypt()
    {
        using var libcrypt = new Libcrypt();
        var random = new Random(20260101);
        for (var i = 0; i < 50; i++)
        {
            var secret = new string([.. Enumerable.Range(0, 43).Select(_ => (char)random.Next('!', 0x7f))]);
            var salt = BCrypt.Net.BCrypt.GenerateSalt(4, "ab"[i % 2]);
            Assert.Equal(libcrypt.Hash(secret, salt), BCrypt.Net.BCrypt.HashPassword(secret, salt));
        }
    }

    [Fact]
    public async Task A_hash_of_version_2b_verifies_its_secret_and_no_other()
    {
        using var work = new PasswordWork(new ChatOptions { BcryptCost = 10 }, TimeProvider.System);
        using var turn = await work.TryTakeAsync(null, default);
        var hash = await work.HashAsync(Secret, turn!, default);
        Assert.StartsWith("$2b$10$", hash, StringComparison.Ordinal);
        Assert.True(await work.VerifyAsync(Secret, hash, turn!, default));
        Assert.False(await work.VerifyAsync(Secret[1..] + "d", hash, turn!, default));
        Assert.False(await work.VerifyAsync(Secret, null, turn!, default));
    }

    [Fact]
    public async Task A_hash_that_an_older_program_stored_still_verifies()
    {
        using var work = new PasswordWork(new ChatOptions { BcryptCost = 10 }, TimeProvider.System);
        using var turn = await work.TryTakeAsync(null, default);
        var hash = BCrypt.Net.BCrypt.HashPassword(Secret, BCrypt.Net.BCrypt.GenerateSalt(10, 'a'));
        Assert.True(await work.VerifyAsync(Secret, hash, turn!, default));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0123456789012345678901234567890123456789ab")]
    [InlineData("0123456789012345678901234567890123456789ab\0")]
    [InlineData("0123456789012345678901234567890123456789abü")]
    [InlineData("01234567890123456789012345678901234567890123456789012345678901234567890123456789")]
    public async Task What_is_no_derived_secret_is_a_wrong_one(string secret)
    {
        using var work = new PasswordWork(new ChatOptions { BcryptCost = 10 }, TimeProvider.System);
        using var turn = await work.TryTakeAsync(null, default);
        var hash = BCrypt.Net.BCrypt.HashPassword(secret.Replace("\0", ""), 4);
        Assert.False(await work.VerifyAsync(secret, hash, turn!, default));
    }

    [Theory]
    [InlineData("")]
    [InlineData("secret")]
    [InlineData("$2x$12$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")]
    [InlineData("$2b$12$CCCCCCCCCCCCCCCCCCCCC.")]
    [InlineData("$2b$12$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW\n")]
    [InlineData("$2b$12$CCCCCCCCCCCCCCCCCCCCC!E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")]
    [InlineData("$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")] // would take two days
    public async Task What_is_no_credential_verifies_nothing(string credential)
    {
        using var work = new PasswordWork(new ChatOptions { BcryptCost = 10 }, TimeProvider.System);
        using var turn = await work.TryTakeAsync(null, default);
        Assert.False(await work.VerifyAsync(Secret, credential, turn!, default));
    }
}
