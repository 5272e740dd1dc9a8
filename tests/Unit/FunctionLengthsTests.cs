using Xunit;

namespace ChordChat.Tests.Unit;

public class FunctionLengthsTests
{
    private static readonly string[] Source = """
        public sealed class Ring(Peer self)
        {
            public Ring()
                : this(Peer.Nobody)
            {
                Join();
            }

            public async Task<List<int>> StepAsync<T>(
                RingState state, T input)
                where T : class
            {
                if (state.Joined)
                {
                    Stabilize();
                }
            }
        }
        """.Split('\n');

    [Fact]
    public void Functions_are_found_with_name_place_and_length_and_statements_and_types_are_not() =>
        Assert.Equal([("Ring", 5 - 1, 3), ("StepAsync", 11, 6)], FunctionLengths.Of(Source));
}
