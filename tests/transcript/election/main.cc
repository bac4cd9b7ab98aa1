#include "tests/transcript/election/world.h"

int main(int argc, char** argv) {
  return tandem::transcript::run_main(argc, argv,
                                      [] { return std::make_unique<tandem::transcript::ElectionWorld>(); });
}
