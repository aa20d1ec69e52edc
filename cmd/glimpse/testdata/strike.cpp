// Preloaded into glimpse by TestCrashes: lets trials die inside libtorch, as a fault of native code or of the machine
// makes them die. STRIKE is "RUN=KIND RUN=KIND ..."; a trial of RUN is struck in the backward pass of its STRIKE_AT-th step.
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>

#include <dlfcn.h>

namespace {

// The KIND that the environment has for this process, "" for none.
std::string kindOfThis() {
	std::ifstream file("/proc/self/cmdline");
	std::string command((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
	const char *strike = getenv("STRIKE");
	size_t at = command.find(std::string("\0trial\0", 7));
	if (strike == nullptr || at == std::string::npos) return "";
	std::string list = std::string(strike) + " ", run = command.c_str() + at + 7;
	at = list.find(run + "=");
	if (at == std::string::npos) return "";
	at += run.size() + 1;
	return list.substr(at, list.find(' ', at) - at);
}

void strike(const std::string &kind) {
	if (kind == "fault") *(volatile int *)nullptr = 1;
	if (kind == "kill") raise(SIGKILL);
	if (kind == "exception") throw std::runtime_error("struck");
	if (kind == "terminate") std::thread([] { throw std::runtime_error("struck in a thread of its own"); }).join();
}

}  // namespace

// torch::autograd::Engine::compute_dependencies(Node *, GraphTask &, uint64_t), with which each backward pass begins.
extern "C" void _ZN5torch8autograd6Engine20compute_dependenciesEPNS0_4NodeERNS0_9GraphTaskEm(void *engine, void *root, void *task, unsigned long minimum) {
	static auto next = (void (*)(void *, void *, void *, unsigned long))dlsym(RTLD_NEXT, __func__);
	static const std::string kind = kindOfThis();
	static const long when = getenv("STRIKE_AT") ? atol(getenv("STRIKE_AT")) : 0;
	static long passes = 0;
	if (!kind.empty() && ++passes == when) strike(kind);
	next(engine, root, task, minimum);
}
