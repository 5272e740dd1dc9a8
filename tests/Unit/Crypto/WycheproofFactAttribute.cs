using Xunit;

namespace ChordChat.Tests.Unit.Crypto;

/// <summary>A fact that is skipped, visibly, where Wycheproof's files are missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class WycheproofFactAttribute : FactAttribute
{
    public WycheproofFactAttribute()
    {
        if (TestFiles.Wycheproof is null)
            Skip = "no ../shared/vectors/wycheproof next to the repository, nor under CHORDCHAT_VECTORS";
    }
}
