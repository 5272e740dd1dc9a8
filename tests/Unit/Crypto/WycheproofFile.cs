using System.Security.Cryptography;
using System.Text.Json;
using Xunit;

namespace ChordChat.Tests.Unit.Crypto;

/// <summary>Runs one of Wycheproof's files and insists on how many of its tests ran.</summary>
internal static class WycheproofFile
{
    /// <param name="accepts">Whether the platform accepts a test of a group; null outside our parameters.</param>
    /// <remarks>The counts are pinned, so that a loader that silently skips everything fails.</remarks>
    public static void Run(
        string name, int passed, int skipped, Func<JsonElement, JsonElement, bool?> accepts,
        Func<JsonElement, bool>? isValid = null)
    {
        isValid ??= test => test.GetProperty("result").GetString() == "valid";
        var (passes, skips, wrong) = (0, 0, new List<int>());
        var file = TestFiles.Parse(Path.Combine(TestFiles.Wycheproof!, name));
        foreach (var group in file.GetProperty("testGroups").EnumerateArray())
        {
            foreach (var test in group.GetProperty("tests").EnumerateArray())
            {
                if (Answer(accepts, group, test) is not { } accepted)
                    skips++;
                else if (accepted == isValid(test))
                    passes++;
                else
                    wrong.Add(test.GetProperty("tcId").GetInt32());
            }
        }

        Assert.Equal([], wrong);
        Assert.Equal((passed, skipped), (passes, skips));
    }

    private static bool? Answer(
        Func<JsonElement, JsonElement, bool?> accepts, JsonElement group, JsonElement test)
    {
        try
        {
            return accepts(group, test);
        }
        catch (Exception refusal) when (refusal is CryptographicException or ArgumentException)
        {
            return false;
        }
    }
}
