/* Preloaded into a User-Mode Linux on a processor with more registers than it has room for (2,696 bytes: AVX-512, no AMX).
 *
 * It reads as many of a process's registers as fit, and the host gives it those; it writes them back as if they were all,
 * and the host takes all or none (EFAULT). Here the rest is added, as it is in the process: nothing in it has changed, and
 * nobody inside uses it, as a tile wants a permission that is never asked for.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

long ptrace(enum __ptrace_request request, ...)
{
	static long (*real)(enum __ptrace_request, ...);
	/* Not on the stack, which is a kernel's: a few pages. There is but one thread. */
	static char registers[1 << 16];
	struct iovec all = { registers, sizeof registers };
	va_list arguments;

	va_start(arguments, request);
	int process = va_arg(arguments, int);
	void *address = va_arg(arguments, void *);
	void *data = va_arg(arguments, void *);
	va_end(arguments);

	if (!real)
		real = (long (*)(enum __ptrace_request, ...))dlsym(RTLD_NEXT, "ptrace");
	if (request == PTRACE_SETREGSET && address == (void *)NT_X86_XSTATE) {
		const struct iovec *some = data;

		if (real(PTRACE_GETREGSET, process, address, &all) < 0)
			return -1;
		if (some->iov_len < all.iov_len) {
			memcpy(registers, some->iov_base, some->iov_len);
			data = &all;
		}
	}
	return real(request, process, address, data);
}
