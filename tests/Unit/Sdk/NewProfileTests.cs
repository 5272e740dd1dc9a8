using ChordChat.Sdk.Profiles;
using ChordChat.Tests.Unit.Base;
using ChordChat.Tests.Unit.Client;
using Xunit;

namespace ChordChat.Tests.Unit.Sdk;

/// <summary>What is left of a registration or login that came to nothing.</summary>
public sealed class NewProfileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_folder_that_was_made_for_nothing_is_taken_away()
    {
        using (var made = NewProfile.Open(_folder["alice"]))
            Assert.True(Directory.Exists(made.Profile.Folder));
        Assert.False(Directory.Exists(_folder["alice"]));
    }

    [Fact]
    public void What_was_there_before_or_was_written_stays()
    {
        Directory.CreateDirectory(_folder["mine"]);
        NewProfile.Open(_folder["mine"]).Dispose();
        Assert.True(Directory.Exists(_folder["mine"]));

        using (var made = NewProfile.Open(_folder["alice"]))
            made.Profile.RequestsWait = false;
        NewProfile.Open(_folder["alice"]).Dispose();
        using var again = Profile.Open(_folder["alice"]);
        Assert.False(again.RequestsWait);

        using (NewProfile.Open(_folder["notes"]))
            foreach (var name in (string[])["mine.txt", "Cargo.lock", "profile.db.backup"])
                File.WriteAllText(_folder[$"notes/{name}"], "");
        Assert.Equal(3, Directory.GetFiles(_folder["notes"]).Length);
    }

    /// <summary>The other program may be registering in it.</summary>
    [Fact]
    public void A_profile_that_another_program_has_open_stays()
    {
        var made = NewProfile.Open(_folder["alice"]);
        using var other = Profile.Open(_folder["alice"]);
        made.Dispose();
        other.RequestsWait = false;
        using var again = Profile.Open(_folder["alice"]);
        Assert.False(again.RequestsWait);
    }

    /// <summary>At the moment at which what was made for nothing is taken away, another program registers in it.
    /// </summary>
    [Fact]
    public async Task A_profile_that_another_program_opens_meanwhile_is_not_taken_away_from_under_it()
    {
        for (var i = 0; i < 100; i++)
        {
            var folder = _folder[$"alice{i}"];
            var made = NewProfile.Open(folder);
            using var together = new Barrier(2);
            var other = Task.Run(() =>
            {
                together.SignalAndWait();
                using var profile = Profile.Open(folder);
                profile.RequestsWait = false;
            });
            together.SignalAndWait();
            made.Dispose();
            await other;
            using var again = Profile.Open(folder);
            Assert.False(again.RequestsWait, $"round {i}");
        }
    }

    [Fact]
    public void A_command_names_the_profile_where_it_is_not_the_default_one()
    {
        using var filled = new FilledProfile();
        using var profile = Profile.Open(filled.Folder);
        Assert.Equal($"chordchat login alice --profile {filled.Folder}", ProfileCommand.Of(profile, "login alice"));
        using var odd = Profile.Open(_folder["it's here"]);
        Assert.EndsWith("/it'\\''s here'", ProfileCommand.Of(odd, "login alice"), StringComparison.Ordinal);
        if (OperatingSystem.IsWindows())
            return;
        using var slash = Profile.Open(_folder["a\\b"]); // A Unix shell would take it away.
        Assert.EndsWith("/a\\b'", ProfileCommand.Of(slash, "login alice"), StringComparison.Ordinal);
    }
}
