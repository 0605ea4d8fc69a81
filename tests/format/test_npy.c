/* .npy: the bytes that NumPy's own format description asks for. */
#include "../check.h"

#include "base/file.h"
#include "format/npy.h"

static void test_map(void **state)
{
    flaw_error err = {0};
    flaw_bytes file;
    char path[512];
    const float data[6] = {0, 1, 2, 3, 4, -5.5f};
    const size_t shape[2] = {2, 3};
    in_folder(path, *state, "map.npy");
    assert_ok(flaw_npy_write(path, data, shape, 2, &err));
    assert_ok(flaw_file_read(&file, path, 4096, &err));
    assert_memory_equal(file.data, "\x93NUMPY\1\0", 8);
    size_t header = file.data[8] + 256u * file.data[9];
    assert_int_equal((10 + header) % 64, 0);
    assert_int_equal(file.size, 10 + header + sizeof data);
    assert_int_equal(file.data[10 + header - 1], '\n');
    assert_contains((char *)file.data + 10, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3,), }");
    assert_memory_equal(file.data + 10 + header, data, sizeof data);
    flaw_bytes_release(&file);
}

static void test_shapes(void **state)
{
    flaw_error err = {0};
    flaw_bytes file;
    char path[512];
    const float data[4] = {1, 2, 3, 4};
    const size_t one[1] = {4}, huge[2] = {SIZE_MAX / 2, 3};
    in_folder(path, *state, "a.npy");
    assert_ok(flaw_npy_write(path, data, one, 1, &err));
    assert_ok(flaw_file_read(&file, path, 4096, &err));
    assert_contains((char *)file.data + 10, "'shape': (4,), }");
    flaw_bytes_release(&file);
    assert_int_equal(flaw_npy_write(path, data, huge, 2, &err), FLAW_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_map, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_shapes, make_scratch, remove_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
