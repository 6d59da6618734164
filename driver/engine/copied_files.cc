#include "engine/copied_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <exception>
#include <thread>

#include "base/files/descriptor.h"

namespace stagemake {
namespace {

// A tar program whose output is not read to the end fails, even if everything that matters was read.
void drop_the_rest(int descriptor) {
  std::array<char, 65536> piece;
  ssize_t n = 0;
  do {
    n = ::read(descriptor, piece.data(), piece.size());
  } while (n > 0 || (n < 0 && errno == EINTR));
}

}  // namespace

bool read_copied(ContainerEngine& engine, const std::string& container, const std::string& path,
                 const std::function<void(int descriptor)>& read) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw EngineError("cannot create a pipe: too many open files");
  Descriptor read_end(ends[0]);
  Descriptor write_end(ends[1]);
  bool is_there = false;
  std::exception_ptr by_engine;
  std::exception_ptr by_reader;
  std::atomic<bool> reader_is_gone = false;
  std::thread engines([&] {
    try {
      is_there = engine.copy_out_to(container, path, write_end.get());
    } catch (...) {
      if (!reader_is_gone) by_engine = std::current_exception();
    }
    write_end = Descriptor();
  });
  try {
    read(read_end.get());
    drop_the_rest(read_end.get());
  } catch (...) {
    by_reader = std::current_exception();
    reader_is_gone = true;
  }
  read_end = Descriptor();
  engines.join();
  if (by_engine) std::rethrow_exception(by_engine);
  if (by_reader) std::rethrow_exception(by_reader);
  return is_there;
}

std::vector<TarEntry> copied_entries(ContainerEngine& engine, const std::string& container,
                                     const std::string& path, std::size_t content_limit) {
  std::vector<TarEntry> entries;
  read_copied(engine, container, path, [&](int descriptor) {
    TarReader tar(descriptor);
    entries = read_tar(tar, content_limit);
  });
  return entries;
}

}  // namespace stagemake
