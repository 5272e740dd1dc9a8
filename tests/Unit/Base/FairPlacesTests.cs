using System.Net;
using ChordChat.Node.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Base;

/// <summary>docs/security.md, "Places of strangers".</summary>
public sealed class FairPlacesTests
{
    private static readonly TimeSpan Tenure = TimeSpan.FromSeconds(5);

    private readonly ManualTime _time = new();
    private readonly FairPlaces _places;

    public FairPlacesTests() => _places = new(4, 8, Tenure, _time);

    [Fact]
    public void Two_networks_that_hold_all_places_keep_nobody_out()
    {
        var first = Fill("10.0.1.1", 4);
        var second = Fill("10.0.2.1", 4);

        var newcomer = Enter("10.0.3.1");
        var another = Enter("10.0.3.1");

        Assert.NotNull(newcomer);
        Assert.NotNull(another);
        Assert.Equal([true, false, false, false], Lost(first));
        Assert.Equal([true, false, false, false], Lost(second));
        Assert.False(newcomer.Lost.IsCancellationRequested);
    }

    [Fact]
    public void Addresses_of_one_network_have_one_share_together()
    {
        for (var i = 1; i <= 4; i++)
            Assert.NotNull(Enter($"10.0.1.{i}"));

        Assert.Null(Enter("10.0.1.200"));
        Assert.NotNull(Enter("10.0.2.1"));
    }

    /// <summary>One customer can have all of these.</summary>
    [Fact]
    public void Small_networks_of_one_site_have_one_share_together()
    {
        for (var i = 1; i <= 4; i++)
            Assert.NotNull(Enter($"2001:db8:1:{i}::1"));

        Assert.Null(Enter("2001:db8:1:5::1"));
        Assert.NotNull(Enter("2001:db8:2::1"));
    }

    [Fact]
    public void Of_many_networks_with_one_place_each_the_oldest_makes_room()
    {
        var there = Enumerable.Range(1, 8).Select(i => Enter($"10.0.{i}.1")!).ToArray();

        Assert.NotNull(Enter("10.0.9.1"));

        Assert.Equal(1, there.Count(place => place.Lost.IsCancellationRequested));
        Assert.True(there[0].Lost.IsCancellationRequested);
    }

    [Fact]
    public void Within_a_network_only_who_has_been_silent_for_long_makes_room()
    {
        var there = Fill("10.0.1.1", 4);
        Assert.Null(Enter("10.0.1.2"));

        _time.Now += Tenure + TimeSpan.FromMilliseconds(1);

        Assert.NotNull(Enter("10.0.1.2"));
        Assert.Equal([true, false, false, false], Lost(there));
    }

    [Fact]
    public void Who_has_gone_idle_again_makes_room_as_if_new()
    {
        var there = Fill("10.0.1.1", 4);
        Assert.True(there[0].TryStay());
        there[0].Yield();
        there[0].Yield();
        Fill("10.0.2.1", 4);

        Assert.NotNull(Enter("10.0.3.1"));
        Assert.Equal([false, true, false, false], Lost(there));
    }

    [Fact]
    public void Who_has_said_hello_makes_room_for_nobody()
    {
        var there = Fill("10.0.1.1", 4);
        Assert.True(there[0].TryStay());
        Fill("10.0.2.1", 4);

        Assert.NotNull(Enter("10.0.3.1"));
        Assert.NotNull(Enter("10.0.4.1"));

        Assert.Equal([false, true, false, false], Lost(there));
        Assert.False(there[1].TryStay());
    }

    [Fact]
    public void A_place_that_is_left_or_lost_is_free_once()
    {
        var there = Fill("10.0.1.1", 4);
        var second = Fill("10.0.2.1", 3);
        foreach (var place in there)
        {
            place.Dispose();
            place.Dispose();
        }

        Fill("10.0.4.1", 4);
        Assert.Null(Enter("10.0.4.1"));
        Assert.Equal([false, false, false], Lost(second));
    }

    [Fact]
    public void Who_is_signed_in_makes_room_only_where_a_block_has_far_more_and_the_oldest_first()
    {
        var places = new FairPlaces(8, 8, Tenure, _time);
        var many = Enumerable.Range(0, 8).Select(_ => SignedIn(places, "10.0.1.1")).ToArray();

        var newcomers = Enumerable.Range(0, 2).Select(_ => SignedIn(places, "10.0.2.1")).ToArray();

        Assert.Equal([true, true, false, false, false, false, false, false], Lost(many));
        Assert.Null(places.TryEnter(IPAddress.Parse("10.0.2.1"))); // It would have more than half as many.
        Assert.Null(places.TryEnter(IPAddress.Parse("10.0.1.1")));
        Assert.DoesNotContain(true, Lost(newcomers));
    }

    [Fact]
    public void In_a_block_with_far_more_the_idle_go_before_those_who_are_signed_in()
    {
        var places = new FairPlaces(8, 8, Tenure, _time);
        var signedIn = Enumerable.Range(0, 7).Select(_ => SignedIn(places, "10.0.1.1")).ToArray();
        var idle = places.TryEnter(IPAddress.Parse("10.0.1.1"))!;

        Assert.NotNull(places.TryEnter(IPAddress.Parse("10.0.2.1")));

        Assert.True(idle.Lost.IsCancellationRequested);
        Assert.DoesNotContain(true, Lost(signedIn));
    }

    [Fact]
    public void Who_may_be_signing_in_is_not_replaced_while_another_block_has_far_more()
    {
        var places = new FairPlaces(8, 8, Tenure, _time);
        var many = Enumerable.Range(0, 8).Select(_ => SignedIn(places, "10.0.1.1")).ToArray();
        var signing = places.TryEnter(IPAddress.Parse("10.0.2.1"))!;

        Assert.NotNull(places.TryEnter(IPAddress.Parse("10.0.3.1")));
        Assert.Null(places.TryEnter(IPAddress.Parse("10.0.1.1")));
        Assert.False(signing.Lost.IsCancellationRequested);
        Assert.Equal(2, Lost(many).Count(lost => lost));

        _time.Now += Tenure + TimeSpan.FromMilliseconds(1);
        Assert.NotNull(places.TryEnter(IPAddress.Parse("10.0.4.1")));
        Assert.True(signing.Lost.IsCancellationRequested); // It did not.
        Assert.Equal(2, Lost(many).Count(lost => lost));
    }

    [Fact]
    public void Who_is_signed_in_no_more_is_idle_and_who_stays_is_never_only_signed_in()
    {
        var places = new FairPlaces(8, 8, Tenure, _time);
        var many = Enumerable.Range(0, 8).Select(_ => SignedIn(places, "10.0.1.1")).ToArray();
        Assert.True(many[0].TryStay());
        many[0].Hold();
        many[2].Yield();

        Assert.NotNull(places.TryEnter(IPAddress.Parse("10.0.2.1")));
        Assert.NotNull(places.TryEnter(IPAddress.Parse("10.0.3.1")));

        Assert.Equal([false, true, true, false, false, false, false, false], Lost(many));
    }

    private static FairPlaces.Place SignedIn(FairPlaces places, string address)
    {
        var place = places.TryEnter(IPAddress.Parse(address)) ?? throw new InvalidOperationException("no room");
        place.Hold();
        return place;
    }

    private FairPlaces.Place[] Fill(string address, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => Enter(address) ?? throw new InvalidOperationException("no room"))];

    private static bool[] Lost(FairPlaces.Place[] places) =>
        [.. places.Select(place => place.Lost.IsCancellationRequested)];

    private FairPlaces.Place? Enter(string address) => _places.TryEnter(IPAddress.Parse(address));
}
