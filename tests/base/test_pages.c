/* Pages given back: what lies around them stays, their memory is gone, and touching them stops the program. */
#include "../check.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/pages.h"

enum { MANY = 64 };

static size_t resident(const flaw_pages *p)
{
    unsigned char held[MANY];
    size_t count = 0;
    assert_int_equal(mincore(p->data, p->size, held), 0);
    for (size_t i = 0; i < p->size / (size_t)sysconf(_SC_PAGESIZE); i++) count += held[i] & 1;
    return count;
}

static int touch(const unsigned char *at)
{
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        _exit(*(volatile const unsigned char *)at == 255 ? 1 : 0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void test_give_back(void **state)
{
    flaw_pages p = {0};
    flaw_error err = {0};
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    assert_ok(flaw_pages_reserve(&p, MANY * page, &err));
    unsigned char *data = p.data;
    for (size_t i = 0; i < p.size; i++) assert_int_equal(data[i], 0);
    memset(data, 7, p.size);
    assert_int_equal(resident(&p), MANY);
    flaw_pages_give_back(&p, data + 10, page); /* no whole page */
    assert_int_equal(resident(&p), MANY);
    flaw_pages_give_back(&p, data + 2 * page - 1, 3 * page + 2); /* pages 2, 3 and 4 */
    assert_int_equal(data[2 * page - 1], 7);
    assert_int_equal(data[5 * page], 7);
    assert_int_equal(touch(data + 2 * page), SIGSEGV);
    assert_int_equal(touch(data + 5 * page - 1), SIGSEGV);
    assert_int_equal(touch(data + 5 * page), 0);
    flaw_pages_release(&p);
    assert_null(p.data);
    flaw_pages_release(&p);
}

static void test_too_much(void **state)
{
    flaw_pages p = {0};
    flaw_error err = {0};
    assert_int_equal(flaw_pages_reserve(&p, (size_t)1 << 62, &err), FLAW_NO_MEMORY);
    assert_contains(err.text, "4611686018427387904");
    assert_null(p.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_give_back), cmocka_unit_test(test_too_much)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
