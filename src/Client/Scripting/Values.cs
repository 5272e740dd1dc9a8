using System.CommandLine;

namespace ChordChat.Client.Scripting;

/// <summary>What options take.</summary>
internal static class Values
{
    /// <summary>Refuses an empty value, as a script's variable that is not set gives one.</summary>
    public static void NotEmpty(Option option) => option.Validators.Add(result =>
    {
        if (result.Tokens.Any(token => token.Value.Length == 0))
            result.AddError($"the value of {option.Name} is empty");
    });
}
