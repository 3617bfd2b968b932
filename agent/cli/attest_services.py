"""Whom `enclavia` asks for collateral: the vendors' services, or caches of them."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from agent.cli.printing import printable

if TYPE_CHECKING:
    import httpx

    from agent.attestation.collection.collector import Services

_SECONDS: Final = 30.0

PCCS = Annotated[str | None, typer.Option("--intel-pccs", help="A cache of Intel's service, https://…; Intel's own, if not given.")]
KDS = Annotated[str | None, typer.Option("--amd-kds", help="AMD's key distribution service, or a mirror.")]
RIM = Annotated[str | None, typer.Option("--nvidia-rim", help="NVIDIA's service of manifests, or a mirror.")]
OCSP = Annotated[str | None, typer.Option("--nvidia-ocsp", help="NVIDIA's OCSP service, or a mirror.")]


def services(
    through: "httpx.AsyncClient", intel_pccs: str | None, amd_kds: str | None, nvidia_rim: str | None, nvidia_ocsp: str | None
) -> "Services":
    """Those at the addresses given, the vendors' own where none is."""
    from agent.attestation.collection import amd, intel, nvidia  # noqa: PLC0415
    from agent.attestation.collection.collector import Services  # noqa: PLC0415
    from agent.attestation.collection.fetcher import Fetcher  # noqa: PLC0415

    fetcher = Fetcher(through)
    return Services(
        intel=intel.IntelService(fetcher, intel_pccs or intel.PCS),
        amd=amd.AmdService(fetcher, amd_kds or amd.KDS),
        nvidia=nvidia.NvidiaService(fetcher, nvidia_rim or nvidia.RIM_SERVICE, nvidia_ocsp or nvidia.OCSP_SERVICE),
    )


def check_addresses(intel_pccs: str | None, amd_kds: str | None, nvidia_rim: str | None, nvidia_ocsp: str | None) -> None:
    """Check what people gave as addresses, before anybody is asked.

    Raises:
        typer.BadParameter: one is none, or would tell the network between which platform asks.
    """
    from agent.attestation.collection.errors import BadAddress  # noqa: PLC0415
    from agent.attestation.collection.fetcher import host_of  # noqa: PLC0415

    given = {"--intel-pccs": intel_pccs, "--amd-kds": amd_kds, "--nvidia-rim": nvidia_rim, "--nvidia-ocsp": nvidia_ocsp}
    for option, url in given.items():
        try:
            if url is not None:
                host_of(url)
        except BadAddress as error:
            raise typer.BadParameter(printable(str(error)), param_hint=option) from None


def client() -> "httpx.AsyncClient":
    """For vendors' services; the caller closes it."""
    import httpx  # noqa: PLC0415

    trusted = httpx.create_ssl_context(trust_env=False)
    # caches within a company have certificates of its own authority: the system's store, or SSL_CERT_FILE, knows it
    trusted.load_default_certs()
    # a proxy of the environment would read what is asked of a cache on this very machine
    return httpx.AsyncClient(timeout=_SECONDS, follow_redirects=False, trust_env=False, verify=trusted)
