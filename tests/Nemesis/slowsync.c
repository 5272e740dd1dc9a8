/* Makes each sync to the disk take longer: as many milliseconds as stand in the file that NEMESIS_SLOW_SYNC names. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void linger(void)
{
    char text[16] = {0};
    const char *path = getenv("NEMESIS_SLOW_SYNC");
    int file = path ? open(path, O_RDONLY) : -1;
    if (file < 0)
        return;
    if (read(file, text, sizeof text - 1) > 0)
        usleep((useconds_t)atoi(text) * 1000);
    close(file);
}

int fsync(int fd)
{
    linger();
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}

int fdatasync(int fd)
{
    linger();
    return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}
