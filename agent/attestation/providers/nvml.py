"""Evidence of NVIDIA GPUs, through NVML (the package nvidia-ml-py, and the driver's library).

NVML has reports of GPUs only. NVSwitches, which count where NVLink runs in clear (protected PCIe), are asked through NSCQ,
another library, which is not spoken here: such machines are refused. Untested on hardware.
"""

import contextlib
import importlib
from collections.abc import Callable
from ctypes import byref
from functools import partial
from typing import Any, Final

from agent.attestation.binding import gpu_nonce
from agent.attestation.errors import Malformed, ProviderError
from agent.attestation.evidence import Quote
from agent.attestation.intel.quote import certificates_in
from agent.attestation.nvidia.evidence import MAX_DEVICES, DeviceItem, DeviceKind
from agent.attestation.nvidia.report import DeviceReport
from agent.attestation.providers.answering import answered

_ENABLED: Final = 1
_PRODUCTION: Final = 2
_ENVIRONMENTS: Final = {0: "unavailable", 1: "simulation", _PRODUCTION: "production"}


_CALLS: Final = (
    "nvmlSystemGetConfComputeState", "nvmlSystemGetConfComputeSettings",
    "nvmlDeviceGetConfComputeGpuAttestationReport", "nvmlDeviceGetConfComputeGpuCertificate",
)  # fmt: skip
_SECONDS: Final = 120.0
"""For all GPUs together; one takes about a second to sign."""


def bindings() -> Any:
    """NVML's bindings.

    Raises:
        ImportError: they are not installed.
    """
    return importlib.import_module("pynvml")


class NvmlGpus:
    """The GPUs of this machine; `module` gives NVML's bindings."""

    def __init__(self, module: Callable[[], Any] = bindings, seconds: float = _SECONDS) -> None:
        self._module: Final = module
        self._seconds: Final = seconds

    async def attest(self, report_data: bytes) -> tuple[Quote, ...]:
        """The item of each GPU, in NVML's order, chained from the `report_data` of the CPU's evidence.

        Raises:
            ProviderError: a GPU is not in confidential mode, or gives no report; the text says what to change.
        """
        return await answered(partial(self._attest, report_data), self._seconds, "the NVIDIA driver")

    def _attest(self, report_data: bytes) -> tuple[Quote, ...]:
        try:
            nvml = self._module()
        except ImportError:
            raise ProviderError("no bindings of NVML: pip install 'enclavia[nvidia]'") from None
        missing = [name for name in _CALLS if not hasattr(nvml, name)]
        if missing:
            raise ProviderError(f"NVML's bindings know no {missing[0]}: pip install -U nvidia-ml-py")
        try:
            nvml.nvmlInit()
        except nvml.NVMLError as error:
            raise ProviderError(f"NVML does not start ({error}): is the NVIDIA driver loaded?") from error
        try:
            return _items(nvml, report_data)
        except nvml.NVMLError as error:
            raise ProviderError(f"NVML refuses ({error}): the driver, or these GPUs, may not know confidential computing") from error
        finally:
            # what went wrong before is what people need to know
            with contextlib.suppress(nvml.NVMLError):
                nvml.nvmlShutdown()


def _items(nvml: Any, report_data: bytes) -> tuple[Quote, ...]:
    _check_mode(nvml)
    count = int(nvml.nvmlDeviceGetCount())
    if not 0 < count <= MAX_DEVICES:
        raise ProviderError(f"NVML sees {count} GPUs, evidence has room for 1 to {MAX_DEVICES}")
    return tuple(_item(nvml, index, gpu_nonce(report_data, index)) for index in range(count))


def _check_mode(nvml: Any) -> None:
    state = nvml.nvmlSystemGetConfComputeState()
    if state.ccFeature != _ENABLED:
        raise ProviderError("confidential computing is off on the GPUs: the host switches it on (nvidia_gpu_tools --set-cc-mode=on) and resets them")
    if state.devToolsMode:
        raise ProviderError("the GPUs are in developer mode, where memory can be read: set the mode `on` in place of `devtools`")
    if state.environment != _PRODUCTION:
        found = _ENVIRONMENTS.get(state.environment, state.environment)
        raise ProviderError(f"the GPUs' environment is {found}, not production: nobody would take their evidence")
    if _multi_gpu_mode(nvml) == getattr(nvml, "NVML_CC_SYSTEM_MULTIGPU_PROTECTED_PCIE", 1):
        raise ProviderError(
            "the GPUs trust their switches (protected PCIe), and NVML has no evidence of those: use GPUs one by one, or NVLink with encryption"
        )


def _multi_gpu_mode(nvml: Any) -> int:
    settings = nvml.c_nvmlSystemConfComputeSettings_v1_t()
    # unlike its siblings, this call of the bindings wants a pointer, and returns its code in place of raising it
    code = nvml.nvmlSystemGetConfComputeSettings(byref(settings))
    if code in {nvml.NVML_ERROR_NOT_SUPPORTED, nvml.NVML_ERROR_FUNCTION_NOT_FOUND}:
        return 0
    if code != nvml.NVML_SUCCESS:
        raise nvml.NVMLError(code)
    return int(settings.multiGpuMode)


def _item(nvml: Any, index: int, nonce: bytes) -> Quote:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    report = nvml.nvmlDeviceGetConfComputeGpuAttestationReport(handle, nonce)
    certificate = nvml.nvmlDeviceGetConfComputeGpuCertificate(handle)
    raw = _taken(report.attestationReport, report.attestationReportSize, f"report of GPU {index}")
    text = _taken(certificate.attestationCertChain, certificate.attestationCertChainSize, f"certificates of GPU {index}")
    try:
        parsed = DeviceReport.decode(raw)
        # some drivers end the text as C does, or leave out its last line's end
        chain = tuple(reversed(certificates_in(text.rstrip(b"\0\r\n").replace(b"\r", b"") + b"\n")))
    except Malformed as error:
        raise ProviderError(f"what NVML gives for GPU {index} cannot be read: {error}") from error
    if parsed.nonce != nonce:
        raise ProviderError(f"GPU {index} signed another nonce than the one given")
    return Quote(DeviceKind.GPU, DeviceItem(raw, chain).encode())


def _taken(buffer: Any, size: int, what: str) -> bytes:
    if not 0 < size <= len(buffer):
        raise ProviderError(f"NVML claims {size} bytes of the {what}, its buffer has {len(buffer)}")
    return bytes(buffer[:size])
