using Xunit;

namespace ChordChat.Tests.EndToEnd;

/// <summary>A test that is skipped, visibly, unless CHORDCHAT_TEST_CONTAINERS is 1 and an engine answers.</summary>
/// <remarks>On request only: building the images takes two to four minutes the first time.</remarks>
internal sealed class ContainerFactAttribute : FactAttribute
{
    public ContainerFactAttribute()
    {
        if (Environment.GetEnvironmentVariable("CHORDCHAT_TEST_CONTAINERS") != "1")
            Skip = "Builds images, which takes minutes; set CHORDCHAT_TEST_CONTAINERS=1 to run it.";
        else if (!ContainerCluster.EngineAnswers())
            Skip = "No Docker engine answers.";
    }
}
