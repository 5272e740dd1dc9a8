using ChordChat.Crypto;
using ChordChat.Crypto.Passwords;
using Xunit;

namespace ChordChat.Tests.Unit.Crypto;

/// <summary>docs/e2e.md, Passwords.</summary>
public class PasswordTests
{
    [Fact]
    public void This_process_can_normalise() => Password.RequireNormalization();

    [Fact]
    public void One_password_typed_two_ways_is_one_password() =>
        Assert.Equal(Password.TryNormalize("A\u030Angström \uFB01"), Password.TryNormalize("\u00C5ngström fi"));

    [Theory]
    [InlineData("")]
    [InlineData("line\nbreak and more")]
    [InlineData("\0 and much more of it")]
    public void Text_that_no_password_can_be_gives_no_keys(string password)
    {
        Assert.Null(Password.TryNormalize(password));
        Assert.Null(PasswordKeys.Derive(TestUsers.Cluster, "alice", password, TestUsers.Kdf));
    }

    [Fact]
    public void Half_of_a_surrogate_pair_gives_no_keys() => // A fact: the test runner would mend it on its way.
        Assert.Null(Password.TryNormalize("\uD800 half of a pair"));

    [Theory]
    [InlineData(1u)]
    [InlineData(599_999u)]
    [InlineData(10_000_001u)]
    [InlineData(1_000_000_000u)]
    public void A_node_cannot_talk_a_client_into_other_iterations(uint iterations) =>
        Assert.Null(PasswordKeys.Derive(TestUsers.Cluster, "alice", "whatever", new(iterations, 1)));

    [Fact]
    public void Each_user_and_cluster_has_its_own_salt()
    {
        Digest[] salts =
        [
            PasswordKeys.SaltOf(TestUsers.Cluster, "alice", TestUsers.Kdf),
            PasswordKeys.SaltOf(TestUsers.Cluster, "bob", TestUsers.Kdf),
            PasswordKeys.SaltOf(TestUsers.OtherCluster, "alice", TestUsers.Kdf),
            PasswordKeys.SaltOf(TestUsers.Cluster, "alice", TestUsers.Kdf with { Salt = 78 }),
        ];

        Assert.Equal(salts.Length, salts.Distinct().Count());
    }

    [Theory]
    [InlineData("kumquat-velvet-harpsichord", PasswordProblem.None)]
    [InlineData("tR7#kq2!vPz9", PasswordProblem.None)]
    [InlineData("Übergrößenträger im Nebel", PasswordProblem.None)]
    [InlineData("tR7#kq2!v", PasswordProblem.TooShort)]
    [InlineData("1", PasswordProblem.TooShort)]
    [InlineData("password1234", PasswordProblem.TooWeak)]
    [InlineData("jennifer1985!", PasswordProblem.TooWeak)]
    [InlineData("liverpool2019", PasswordProblem.TooWeak)]
    [InlineData("seven green boats at noon", PasswordProblem.None)]
    [InlineData("aaaaaaaaaaaaaaaaaaaa", PasswordProblem.TooWeak)]
    [InlineData("1234567890123", PasswordProblem.TooWeak)]
    [InlineData("abcdefghijklmnop", PasswordProblem.TooWeak)]
    [InlineData("qwertyuiop123", PasswordProblem.TooWeak)]
    [InlineData("aliceALICEalice", PasswordProblem.TooWeak)]
    [InlineData("tab\tinside the password", PasswordProblem.IllFormed)]
    public void A_new_password_has_a_floor(string password, PasswordProblem problem) =>
        Assert.Equal(problem, Password.Check(password, "alice", demo: false));

    [Theory]
    [InlineData("1", PasswordProblem.None)]
    [InlineData("password", PasswordProblem.None)]
    [InlineData("", PasswordProblem.TooShort)]
    [InlineData("\u0007", PasswordProblem.IllFormed)]
    public void A_demo_cluster_has_a_lower_one(string password, PasswordProblem problem) =>
        Assert.Equal(problem, Password.Check(password, "alice", demo: true));

    [Fact]
    public void Code_points_are_counted_and_not_their_bytes()
    {
        var faces = string.Concat(Enumerable.Repeat("🙂", Password.CodePointsMax));

        Assert.NotEqual(PasswordProblem.TooLong, Password.Check(faces, "alice", demo: true));
        Assert.Equal(PasswordProblem.TooLong, Password.Check(faces + "!", "alice", demo: true));
        Assert.Null(Password.TryNormalize(faces + "!"));
    }

    [Theory]
    [InlineData("alice", true)]
    [InlineData("0_a.b-c", true)]
    [InlineData("a23456789012345678901234567890ab", true)]
    [InlineData("a23456789012345678901234567890abc", false)]
    [InlineData("", false)]
    [InlineData("Alice", false)]
    [InlineData("_alice", false)]
    [InlineData("al ice", false)]
    [InlineData("аlice", false)] // The first letter is Cyrillic.
    public void User_names_are_plain(string name, bool valid) => Assert.Equal(valid, UserName.IsValid(name));
}
