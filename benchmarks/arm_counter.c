/* QEMU TCG plugin (API 1): counts the instructions a guest executes.

   Prints the running total whenever the guest calls getpriority(), which nothing else here does;
   the guest marks the beginning and the end of its work so. Debian's qemu-user has no header for
   plugins, so what is needed of it is declared here.
       gcc -O2 -shared -fPIC -o arm_counter.so arm_counter.c */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define EXPORTED __attribute__((visibility("default")))
#define GETPRIORITY 141 /* of arm64 */

typedef uint64_t plugin_id;
typedef struct qemu_plugin_tb block;
enum qemu_plugin_op { ADD_U64 };
typedef void (*on_block)(plugin_id, block *);
typedef void (*on_call)(plugin_id, unsigned, int64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                        uint64_t, uint64_t, uint64_t, uint64_t);

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, on_block);
void qemu_plugin_register_vcpu_tb_exec_inline(block *, enum qemu_plugin_op, void *, uint64_t);
size_t qemu_plugin_tb_n_insns(const block *);
void qemu_plugin_register_vcpu_syscall_cb(plugin_id, on_call);

EXPORTED int qemu_plugin_version = 1;

static uint64_t executed;

static void translated(plugin_id id, block *b) {
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_inline(b, ADD_U64, &executed, qemu_plugin_tb_n_insns(b));
}

static void called(plugin_id id, unsigned cpu, int64_t number, uint64_t a, uint64_t b, uint64_t c,
                   uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h) {
    (void)id, (void)cpu, (void)a, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h;
    if (number == GETPRIORITY)
        fprintf(stderr, "executed %llu\n", (unsigned long long)executed);
}

EXPORTED int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv) {
    (void)info, (void)argc, (void)argv;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_vcpu_syscall_cb(id, called);
    return 0;
}
