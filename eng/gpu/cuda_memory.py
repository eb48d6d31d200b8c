"""Device memory that another process can open, by CUDA's runtime library through ctypes."""
import ctypes
import glob


class SharedDeviceMemory:
    """So many bytes on a GPU, with the handle that a server registers."""

    def __init__(self, length, gpu=0):
        names = ["libcudart.so.13", "libcudart.so.12", *glob.glob("/usr/local/cuda*/lib64/libcudart.so.*")]
        self._cuda = next(filter(None, map(self._open, names)))
        self._check(self._cuda.cudaSetDevice(gpu))
        self.length, self._address = length, ctypes.c_void_p()
        self._check(self._cuda.cudaMalloc(ctypes.byref(self._address), ctypes.c_size_t(length)))
        handle = (ctypes.c_char * 64)()
        self._cuda.cudaIpcGetMemHandle.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        self._check(self._cuda.cudaIpcGetMemHandle(ctypes.byref(handle), self._address))
        self.handle = bytes(handle)

    def write(self, data, offset=0):
        self._copy(self._address.value + offset, data, len(data), 1)

    def read(self, length, offset=0):
        buffer = ctypes.create_string_buffer(length)
        self._copy(buffer, self._address.value + offset, length, 2)
        return buffer.raw

    def close(self):
        self._check(self._cuda.cudaFree(self._address))

    def _copy(self, target, source, length, kind):
        self._cuda.cudaMemcpy.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
        self._check(self._cuda.cudaMemcpy(target, source, length, kind))
        self._check(self._cuda.cudaDeviceSynchronize())

    @staticmethod
    def _open(name):
        try:
            return ctypes.CDLL(name)
        except OSError:
            return None

    @staticmethod
    def _check(code):
        if code != 0:
            raise RuntimeError(f"CUDA answered {code}")
