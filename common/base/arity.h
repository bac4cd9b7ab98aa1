// How many members an aggregate has, at compile time: the largest number of initializers that it takes. For
// checks that a function which names the members of a struct names all of them. Members may be numbers,
// enums, classes with a plain set of constructors, and aggregates; arrays and references are not counted
// rightly.
#pragma once

#include <cstddef>
#include <utility>

namespace tandem::base {

namespace detail {

struct Anything {
  std::size_t place;
  template <class T>
  operator T() const;  // never defined: it is only asked whether it would do
};

template <class T, std::size_t... places>
constexpr bool takes(std::index_sequence<places...>) {
  return requires { T{Anything{places}...}; };
}

template <class T, std::size_t n = 0>
constexpr std::size_t count_members() {
  if constexpr (takes<T>(std::make_index_sequence<n + 1>())) {
    return count_members<T, n + 1>();
  } else {
    return n;
  }
}

}  // namespace detail

template <class T>
inline constexpr std::size_t kMembers = detail::count_members<T>();

}  // namespace tandem::base
