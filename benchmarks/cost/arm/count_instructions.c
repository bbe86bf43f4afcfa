/* A plugin of QEMU's user mode that counts the guest's instructions in a file that the guest can read:
 *
 *     qemu-aarch64 -plugin count_instructions.so,count=FILE PROGRAM...
 *
 * Each time a block of translated code is entered, its number of instructions is added to the first 8 bytes of FILE,
 * which a guest may map and read at any moment. The work of the kernel and of QEMU is not counted.
 *
 * It uses API version 1, of QEMU 7.2 to 8.2; QEMU 9 removed qemu_plugin_register_vcpu_tb_exec_inline. Debian has no
 * package with qemu-plugin.h, so the functions used are declared here.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
void qemu_plugin_register_vcpu_tb_trans_cb(
    qemu_plugin_id_t id, void (*translated)(qemu_plugin_id_t id, struct qemu_plugin_tb *block));
void qemu_plugin_register_vcpu_tb_exec_inline(
    struct qemu_plugin_tb *block, enum qemu_plugin_op op, void *number, uint64_t value);

EXPORTED int qemu_plugin_version = 1;

static uint64_t *count;

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_inline(
        block, QEMU_PLUGIN_INLINE_ADD_U64, count, qemu_plugin_tb_n_insns(block));
}

EXPORTED int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
    (void)info;
    if (argc != 1 || strncmp(argv[0], "count=", 6))
        return 1;
    int file = open(argv[0] + 6, O_RDWR | O_CREAT, 0600);
    if (file < 0 || ftruncate(file, sizeof *count))
        return 1;
    count = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (count == MAP_FAILED)
        return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
