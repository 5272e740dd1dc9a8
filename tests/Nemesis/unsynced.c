/* Remembers what a process writes into the folder NEMESIS_DISK and has not synced yet, in one file for each file there, in the
 * folder NEMESIS_UNSYNCED. The runner takes it back when that process's machine is to have lost its power. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a record begins with; the old bytes follow, then the new ones. */
struct record {
    uint64_t at, old_size, old_length, new_length;
};

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static const char *disk, *notes;
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);

__attribute__((constructor)) static void begin(void)
{
    disk = getenv("NEMESIS_DISK");
    notes = getenv("NEMESIS_UNSYNCED");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite");
    real_write = dlsym(RTLD_NEXT, "write");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
}

/* The notes of this file: by what it is, not what it is called, since files are renamed. 0 when it is not on that disk. */
static int notes_of(int fd, char *path, size_t room, struct stat *file)
{
    char link[32], target[4096];
    struct statx born = {0};
    ssize_t length;
    if (!disk || !notes)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, target, sizeof target - 1);
    if (length <= 0)
        return 0;
    target[length] = 0;
    if (strncmp(target, disk, strlen(disk)) || target[strlen(disk)] != '/' || strstr(target, "-shm")
        || fstat(fd, file) || !S_ISREG(file->st_mode))
        return 0;
    statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &born);
    snprintf(path, room, "%s/%llu-%lld-%u", notes, (unsigned long long)file->st_ino,
        (long long)born.stx_btime.tv_sec, born.stx_btime.tv_nsec);
    return 1;
}

static void put(int log, const void *bytes, size_t length)
{
    if (real_write(log, bytes, length) != (ssize_t)length)
        abort();
}

/* Before anything is changed: from at on, length bytes become others (none: the file is cut there). */
static void note(int fd, const char *path, const struct stat *file, off_t at, const void *bytes, size_t length)
{
    size_t old = at < file->st_size ? (size_t)(file->st_size - at) : 0;
    struct record head = {(uint64_t)at, (uint64_t)file->st_size, 0, length};
    char self[32], *before;
    int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), reading;
    if (log < 0)
        abort();
    if (bytes && old > length)
        old = length;
    before = malloc(old + 1);
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    reading = open(self, O_RDONLY | O_CLOEXEC); /* The descriptor itself may be for writing only. */
    if (old && (reading < 0 || pread(reading, before, old, at) != (ssize_t)old))
        abort();
    if (reading >= 0)
        close(reading);
    head.old_length = old;
    put(log, &head, sizeof head);
    put(log, before, old);
    put(log, bytes, length);
    free(before);
    close(log);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at)
{
    char path[4300];
    struct stat file;
    ssize_t done;
    pthread_mutex_lock(&turn);
    if (length && notes_of(fd, path, sizeof path, &file))
        note(fd, path, &file, at, bytes, length);
    done = real_pwrite(fd, bytes, length, at);
    pthread_mutex_unlock(&turn);
    return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t at) { return pwrite(fd, bytes, length, at); }

ssize_t write(int fd, const void *bytes, size_t length)
{
    char path[4300];
    struct stat file;
    ssize_t done;
    if (!real_write)
        begin();
    if (!disk || !length || !notes_of(fd, path, sizeof path, &file))
        return real_write(fd, bytes, length);
    pthread_mutex_lock(&turn);
    if (!fstat(fd, &file))
        note(fd, path, &file, fcntl(fd, F_GETFL) & O_APPEND ? file.st_size : lseek(fd, 0, SEEK_CUR), bytes, length);
    done = real_write(fd, bytes, length);
    pthread_mutex_unlock(&turn);
    return done;
}

int ftruncate(int fd, off_t size)
{
    char path[4300];
    struct stat file;
    int done;
    pthread_mutex_lock(&turn);
    if (notes_of(fd, path, sizeof path, &file))
        note(fd, path, &file, size, NULL, 0);
    done = real_ftruncate(fd, size);
    pthread_mutex_unlock(&turn);
    return done;
}

int ftruncate64(int fd, off_t size) { return ftruncate(fd, size); }

/* What was written before a sync is safe after it; nothing is written meanwhile. */
static int sync_with(int (*real)(int), int fd)
{
    char path[4300];
    struct stat file;
    int done;
    pthread_mutex_lock(&turn);
    done = real(fd);
    if (!done && notes_of(fd, path, sizeof path, &file))
        unlink(path);
    pthread_mutex_unlock(&turn);
    return done;
}

int fsync(int fd) { return sync_with(real_fsync, fd); }

int fdatasync(int fd) { return sync_with(real_fdatasync, fd); }
