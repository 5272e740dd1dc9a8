using System.Text.Json;
using Xunit;

namespace ChordChat.Tests.EndToEnd;

internal static class Refusals
{
    /// <summary>It failed with this code, in one line that says what happened and what to do.</summary>
    /// <returns>The message and the hint, for a closer look.</returns>
    public static string ShouldRefuse(this Ended ended, string code)
    {
        Assert.True(ended.ExitCode == 1, $"it ended with {ended.ExitCode}\n{ended.Output}\n{ended.Error}");
        return ErrorShouldBe(ended.Error, code);
    }

    /// <inheritdoc cref="ShouldRefuse"/>
    public static string ErrorShouldBe(string standardError, string code)
    {
        var line = Assert.Single(standardError.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        var error = JsonDocument.Parse(line).RootElement.GetProperty("error");
        Assert.Equal(code, error.GetProperty("code").GetString());
        var (message, hint) = (error.GetProperty("message").GetString()!, error.GetProperty("hint").GetString()!);
        Assert.NotEqual("", message.Trim());
        Assert.NotEqual("", hint.Trim());
        return $"{message}; {hint}";
    }
}
