// What every fuzz target shares. A target is one file that defines answer_to() and add_seeds(); fuzz_main.cc
// makes a libFuzzer program of it.
//
// Properties are checked, not only that nothing crashes: an input is answered twice, and both answers are the
// same; no exception but Error comes out; faults can be shown to a person and name a file of the tree;
// nothing of the files that lie beside the tree (FuzzTree::secret) shows up anywhere.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/files.h"

namespace stagemake {

// All that the code under test makes of `input`, as text. To be defined by a target.
std::string answer_to(std::string_view input);

// Gets the inputs to begin with.
using SeedSink = std::function<void(std::string_view)>;
// Takes seeds from a distribution's tree; a file that it lacks gives none. To be defined by a target.
void add_seeds(const fs::path& tree, const SeedSink& seed);

// Ends the process where a property does not hold; libFuzzer keeps the input then.
void require(bool holds, std::string_view property, std::string_view shown = {});

// An input that stands for several texts: these are parted by zero bytes, which none of them may hold.
std::vector<std::string_view> pieces(std::string_view input);
std::string joined_pieces(const std::vector<std::string>& pieces);

// One more field of an answer; fields cannot run into each other.
void tell(std::string& answer, std::string_view field);
void tell(std::string& answer, const std::vector<std::string>& fields);

// Adds faults to an answer, and checks them: each is said at one of `files` or below it, perhaps with a line,
// or, where `files` is empty, anywhere.
void tell_faults(std::string& answer, const std::vector<Fault>& faults,
                 std::initializer_list<std::string_view> files);

// Calls `read`; the faults of an Error go to the answer.
void tell_errors(std::string& answer, std::initializer_list<std::string_view> files,
                 const std::function<void()>& read);

// A file of a real tree as it is; empty where it is absent.
std::string seed_file(const fs::path& path);
// A seed that stands for `head`, very many of `part`, and `tail`.
std::string repeated(std::string_view head, std::string_view part, std::string_view tail);
// The folders TREE/build/pkgs/*, sorted.
std::vector<fs::path> seed_packages(const fs::path& tree);

}  // namespace stagemake
