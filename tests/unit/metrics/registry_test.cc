#include "metrics/registry.h"

#include <doctest/doctest.h>

using namespace tandem;

TEST_CASE("percentiles are within an eighth of the true value") {
  metrics::Histogram histogram;
  for (std::uint64_t i = 1; i <= 10'000; ++i) histogram.record(i);
  CHECK(histogram.count() == 10'000);
  CHECK(histogram.min() == 1);
  CHECK(histogram.max() == 10'000);
  CHECK(histogram.mean() == doctest::Approx(5000.5));
  for (const double fraction : {0.01, 0.5, 0.99, 0.999}) {
    const double exact = fraction * 10'000;
    const auto got = static_cast<double>(histogram.percentile(fraction));
    CHECK(got >= exact);
    CHECK(got <= exact * 1.125 + 1);
  }
  histogram.record(~std::uint64_t{0});
  CHECK(histogram.percentile(1.0) == ~std::uint64_t{0});
  histogram.reset();
  CHECK(histogram.percentile(0.5) == 0);
}

TEST_CASE("the registry lists metrics in the order added, with their values of now") {
  metrics::Counter packets;
  metrics::Gauge watches;
  metrics::Histogram latency;
  metrics::Registry registry;
  registry.add("packets_received", packets);
  registry.add("watch_count", watches);
  registry.add("latency", latency);
  packets.add(3);
  watches.set(-1);
  CHECK(registry.rows().size() == 11);
  CHECK(registry.rows()[0].value() == "3");
  CHECK(registry.rows()[1].value() == "-1");
  CHECK(registry.rows()[2].name == "avg_latency");
}
