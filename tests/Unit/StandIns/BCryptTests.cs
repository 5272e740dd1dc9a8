using BCrypt.Net;
using Xunit;

namespace ChordChat.Tests.Unit.StandIns;

public class BCryptTests
{
    private const string Secret = "0123456789012345678901234567890123456789abc";

    /// <remarks>Of crypt_blowfish 1.3, wrapper.c; its inputs that are no UTF-8 or are cut short are left out.</remarks>
    [Theory]
    [InlineData("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")]
    [InlineData("U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK")]
    [InlineData("U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a")]
    [InlineData("", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy")]
    [InlineData(
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui")]
    public void Known_answers_come_out(string secret, string hash) =>
        Assert.Equal(hash, BCrypt.Net.BCrypt.HashPassword(secret, hash));

    [LibcryptFact]
    public void Two_hundred_random_secrets_hash_as_in_libcrypt()
    {
        using var libcrypt = new Libcrypt();
        var random = new Random(20260101);
        for (var i = 0; i < 200; i++)
        {
            // Every other one beyond ASCII, where signed characters once went wrong; two bytes each at most.
            var (length, end) = i % 2 == 0 ? (random.Next(73), 0x80) : (random.Next(37), 0x800);
            var secret = string.Concat(Enumerable.Range(0, length).Select(_ => (char)random.Next(1, end)));
            var salt = BCrypt.Net.BCrypt.GenerateSalt(4, "aby"[random.Next(3)]);
            Assert.Equal(libcrypt.Hash(secret, salt), BCrypt.Net.BCrypt.HashPassword(secret, salt));
        }
    }

    [Fact]
    public void A_hash_verifies_its_secret_and_no_other()
    {
        var hash = BCrypt.Net.BCrypt.HashPassword(Secret, BCrypt.Net.BCrypt.GenerateSalt(10, 'b'));
        Assert.StartsWith("$2b$10$", hash, StringComparison.Ordinal);
        Assert.True(BCrypt.Net.BCrypt.Verify(Secret, hash));
        Assert.False(BCrypt.Net.BCrypt.Verify(Secret + "d", hash));
        Assert.False(BCrypt.Net.BCrypt.Verify(Secret[..^1], hash));
    }

    [Fact]
    public void Salts_differ_from_call_to_call() =>
        Assert.NotEqual(BCrypt.Net.BCrypt.GenerateSalt(10), BCrypt.Net.BCrypt.GenerateSalt(10));

    [Theory]
    [InlineData(73)]
    [InlineData(1_000)]
    public void A_secret_that_would_be_cut_short_is_refused(int length) =>
        Assert.Throws<ArgumentException>(() => BCrypt.Net.BCrypt.HashPassword(new string('a', length), 4));

    [Fact]
    public void The_limit_counts_bytes_not_characters() =>
        Assert.Throws<ArgumentException>(() => BCrypt.Net.BCrypt.HashPassword(new string('ü', 37), 4));

    [Fact]
    public void A_nul_is_refused()
    {
        Assert.Throws<ArgumentException>(() => BCrypt.Net.BCrypt.HashPassword("ab\0c", 4));
        var hash = BCrypt.Net.BCrypt.HashPassword("ab", 10);
        Assert.False(BCrypt.Net.BCrypt.Verify("ab\0c", hash));
    }

    [Theory]
    [InlineData(9)]
    [InlineData(15)]
    [InlineData(31)]
    public void Verifying_at_a_cost_outside_10_to_14_is_refused_without_hashing(int cost)
    {
        var hash = $"$2b${cost:00}$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
        Assert.Throws<SaltParseException>(() => BCrypt.Net.BCrypt.Verify("U*U", hash));
    }

    [Theory]
    [InlineData("")]
    [InlineData("secret")]
    [InlineData("$2x$12$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")]
    [InlineData("$2b$12$CCCCCCCCCCCCCCCCCCCCC.")]
    [InlineData("$2b$12$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe")]
    [InlineData("$2b$12$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeWW")]
    [InlineData("$2b$12$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW\n")]
    [InlineData("$2b$12$CCCCCCCCCCCCCCCCCCCCC!E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")]
    public void What_is_no_hash_is_refused(string hash) =>
        Assert.Throws<SaltParseException>(() => BCrypt.Net.BCrypt.Verify("U*U", hash));

    [Fact]
    public void A_hash_of_lower_cost_wants_to_be_made_again()
    {
        var hash = BCrypt.Net.BCrypt.HashPassword(Secret, 4);
        Assert.True(BCrypt.Net.BCrypt.PasswordNeedsRehash(hash, 5));
        Assert.False(BCrypt.Net.BCrypt.PasswordNeedsRehash(hash, 4));
    }
}
